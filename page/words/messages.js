export default {
  en: { title: 'Messages' },
  de: { title: 'Nachrichten' },
  es: { title: 'Mensajes' },
  fr: { title: 'Messages' },
};
