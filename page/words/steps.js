export default {
  en: {
    'is.done': 'done',
    'is.waiting': 'in progress',
    'is.ahead': 'still to come',
    'is.failed': 'failed',
    took: 'took {time}',
    total: 'In all {time} since it was admitted',
  },
  de: {
    'is.done': 'erledigt',
    'is.waiting': 'läuft',
    'is.ahead': 'steht aus',
    'is.failed': 'fehlgeschlagen',
    took: 'dauerte {time}',
    total: 'Insgesamt {time} seit der Zulassung',
  },
  es: {
    'is.done': 'hecho',
    'is.waiting': 'en curso',
    'is.ahead': 'pendiente',
    'is.failed': 'fallido',
    took: 'tardó {time}',
    total: 'En total {time} desde que se admitió',
  },
  fr: {
    'is.done': 'fait',
    'is.waiting': 'en cours',
    'is.ahead': 'à venir',
    'is.failed': 'échec',
    took: 'a pris {time}',
    total: 'En tout {time} depuis l’admission',
  },
};
