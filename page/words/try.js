export default {
  en: { title: 'Try it' },
  de: { title: 'Ausprobieren' },
  es: { title: 'Probar' },
  fr: { title: 'Essayer' },
};
