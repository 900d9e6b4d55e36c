export default {
  en: { title: 'Health' },
  de: { title: 'Zustand' },
  es: { title: 'Estado' },
  fr: { title: 'État' },
};
