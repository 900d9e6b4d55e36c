// Times, amounts and numbers as the browser's language writes them.

const DAY = 24 * 3600 * 1000;

export function createFormats({ tag, t }) {
  const clock = new Intl.DateTimeFormat(tag, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const day = new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short' });
  const full = new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'long' });
  const countries = new Intl.DisplayNames([tag], { type: 'region', fallback: 'code' });
  const languages = new Intl.DisplayNames([tag], { type: 'language', fallback: 'code' });

  /** A moment: the time alone within half a day, day and time further away. */
  function formatTime(moment) {
    const date = new Date(moment);
    if (Number.isNaN(date.getTime())) return '–';
    const isRecent = Math.abs(Date.now() - date.getTime()) < DAY / 2;
    return isRecent ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
  }

  /** With date and time zone. */
  function formatMoment(moment) {
    const date = new Date(moment);
    return Number.isNaN(date.getTime()) ? '–' : full.format(date);
  }

  /** Milliseconds, as a person would say them. */
  function formatDuration(milliseconds) {
    const number = (value, digits) => new Intl.NumberFormat(tag, { maximumFractionDigits: digits }).format(value);
    // What would round up to a whole larger unit is told in that.
    if (milliseconds < 999.5) return t('frame.milliseconds', { value: number(Math.max(0, milliseconds), 0) });
    if (milliseconds < 119_950) return t('frame.seconds', { value: number(milliseconds / 1000, 1) });
    if (milliseconds < 7_170_000) return t('frame.minutes', { value: number(milliseconds / 60_000, 0) });
    return t('frame.hours', { value: number(milliseconds / 3_600_000, 0) });
  }

  /** What lies between two moments, as `durations` gives it. */
  function formatTook({ milliseconds, isAbout }) {
    if (isAbout) return t('frame.about', { time: formatDuration(Math.round(milliseconds / 1000) * 1000) });
    return milliseconds < 1 ? t('frame.milliseconds', { value: '< 1' }) : formatDuration(milliseconds);
  }

  function formatNumber(value, options) {
    return new Intl.NumberFormat(tag, options).format(value);
  }

  function formatCost(value, currency) {
    if (value === null || value === undefined) return '–';
    const digits = { minimumFractionDigits: 2, maximumFractionDigits: 5 };
    try {
      return formatNumber(value, currency ? { style: 'currency', currency, ...digits } : digits);
    } catch {
      return `${formatNumber(value, digits)} ${currency}`;
    }
  }

  const nameBy = (names) => (code) => {
    try {
      return names.of(code);
    } catch {
      return code;
    }
  };

  return {
    formatTime,
    formatMoment,
    formatDuration,
    formatTook,
    formatNumber,
    formatCost,
    countryName: nameBy(countries),
    languageName: nameBy(languages),
  };
}
