export default {
  en: { title: 'Templates' },
  de: { title: 'Vorlagen' },
  es: { title: 'Plantillas' },
  fr: { title: 'Modèles' },
};
