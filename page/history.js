// What the last minutes' scrapes say: how much counters grew, how fast, and how observations were spread.

import { increase, quantile } from './metrics.js';

/** Scrapes with their times in milliseconds, the oldest of which are forgotten. */
export class History {
  #scrapes = [];
  #kept;

  constructor(kept) {
    this.#kept = kept;
  }

  add(time, metrics) {
    this.#scrapes.push({ time, metrics });
    this.#scrapes = this.#scrapes.filter((scrape) => scrape.time > time - this.#kept);
  }

  get latest() {
    return this.#scrapes.at(-1)?.metrics;
  }

  /** When that was. */
  get time() {
    return this.#scrapes.at(-1)?.time;
  }

  /** Milliseconds from the first scrape to the last. */
  get span() {
    return this.#scrapes.length > 0 ? this.#scrapes[this.#last].time - this.#scrapes[0].time : 0;
  }

  /** By how much counters grew in the last `span` milliseconds; `read` sums them up for one scrape. */
  grown(span, read) {
    const growth = this.#growth(read);
    return growth[this.#last] - growth[this.#start(this.#last, span)];
  }

  /** The same for a Map of counters, such as those of each country. */
  grownBy(span, read) {
    const maps = new Map(this.#scrapes.map(({ metrics }) => [metrics, read(metrics)]));
    const keys = new Set([...maps.values()].flatMap((counts) => [...counts.keys()]));
    return new Map([...keys].map((key) => [key, this.grown(span, (metrics) => maps.get(metrics).get(key) ?? 0)]));
  }

  /** Growth per minute at each scrape, over the `span` milliseconds before it: [[time, rate], …]. */
  perMinute(span, read) {
    const growth = this.#growth(read);
    return this.#steps(span, (start, end) => {
      const minutes = (this.#scrapes[end].time - this.#scrapes[start].time) / 60_000;
      return (growth[end] - growth[start]) / minutes;
    });
  }

  /** A gauge at each scrape: [[time, value], …]. */
  values(read) {
    return this.#scrapes.map(({ time, metrics }) => [time, read(metrics) ?? null]);
  }

  /** A quantile of what was observed in the last `span` milliseconds. Undefined: nothing was. */
  quantile(span, share, name, labels) {
    return quantile(share, this.#spread(name, labels)(this.#start(this.#last, span), this.#last));
  }

  /** The same at each scrape: [[time, value or null], …]. */
  quantiles(span, share, name) {
    const spread = this.#spread(name);
    return this.#steps(span, (start, end) => quantile(share, spread(start, end)) ?? null);
  }

  get #last() {
    return this.#scrapes.length - 1;
  }

  /** How much has come since the first scrape, for each scrape. */
  #growth(read) {
    let sum = 0;
    let before;
    return this.#scrapes.map(({ metrics }) => {
      const now = read(metrics);
      if (before !== undefined) sum += increase(before, now);
      before = now;
      return sum;
    });
  }

  /** The buckets of what was observed between two scrapes. */
  #spread(name, labels) {
    const bounds = (this.latest?.buckets(name, labels) ?? []).map(([bound]) => bound);
    const scraped = new Map(this.#scrapes.map(({ metrics }) => [metrics, new Map(metrics.buckets(name, labels))]));
    const growths = bounds.map((bound) => this.#growth((metrics) => scraped.get(metrics).get(bound) ?? 0));
    return (start, end) => bounds.map((bound, index) => [bound, growths[index][end] - growths[index][start]]);
  }

  /** The first scrape of the `span` milliseconds that end with this one. */
  #start(end, span) {
    return this.#scrapes.findIndex(({ time }) => time >= this.#scrapes[end].time - span);
  }

  /** A value for each scrape but the first. A gap, after the tab was hidden, is one long step. */
  #steps(span, valueOf) {
    return this.#scrapes.slice(1).map(({ time }, index) => {
      const end = index + 1;
      return [time, valueOf(Math.min(this.#start(end, span), end - 1), end)];
    });
  }
}
