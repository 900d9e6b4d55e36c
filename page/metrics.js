// Reads the Prometheus text format (version 0.0.4), as GET /metrics gives it.

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))/;
const ESCAPES = { n: '\n', '"': '"', '\\': '\\' };

/** All samples of a scrape, to be asked by name. */
export class Metrics {
  #samples = new Map();

  constructor(text) {
    for (const line of text.split('\n')) {
      const sample = line.startsWith('#') ? undefined : readSample(line);
      if (!sample) continue;
      const family = this.#samples.get(sample.name);
      if (family) family.push(sample);
      else this.#samples.set(sample.name, [sample]);
    }
  }

  /** The series of this name, as { labels, value }; those only that have all the given labels. */
  series(name, labels = {}) {
    const wanted = Object.entries(labels);
    const all = this.#samples.get(name) ?? [];
    return all.filter((sample) => wanted.every(([label, value]) => sample.labels[label] === value));
  }

  /** The only value of this name. Undefined: there is none. */
  value(name, labels) {
    return this.series(name, labels)[0]?.value;
  }

  /** The sum over all series of this name that have these labels; 0 where there is none. */
  sum(name, labels) {
    return this.series(name, labels).reduce((total, { value }) => total + value, 0);
  }

  /** The values summed up by one label: a Map. */
  by(label, name, labels) {
    const sums = new Map();
    for (const {
      labels: { [label]: key = '' },
      value,
    } of this.series(name, labels)) {
      sums.set(key, (sums.get(key) ?? 0) + value);
    }
    return sums;
  }

  /** A histogram's cumulative buckets, summed over its series: [[upper bound, count], …], the last bound infinite. */
  buckets(name, labels) {
    return [...this.by('le', `${name}_bucket`, labels)]
      .map(([bound, count]) => [number(bound), count])
      .sort(([one], [other]) => one - other);
  }
}

/**
 * The value that this share of a histogram's observations does not exceed, interpolated within its bucket as Prometheus'
 * histogram_quantile does. Undefined: there are no observations. The highest finite bound stands for all above it.
 */
export function quantile(share, buckets) {
  const total = buckets.at(-1)?.[1] ?? 0;
  if (!(total > 0)) return undefined;
  const rank = share * total;
  const index = buckets.findIndex(([, count]) => count >= rank);
  const [bound, count] = buckets[index];
  const [lower, below] = index > 0 ? buckets[index - 1] : [0, 0];
  if (bound === Infinity) return lower;
  return count === below ? bound : lower + ((bound - lower) * (rank - below)) / (count - below);
}

/** By how much a counter grew. One that is smaller than before began anew. */
export function increase(before, now) {
  return now >= before ? now - before : now;
}

function readSample(line) {
  const name = NAME.exec(line)?.[0];
  if (!name) return undefined;
  let rest = line.slice(name.length).trimStart();
  const labels = Object.create(null);
  if (rest.startsWith('{')) {
    rest = rest.slice(1);
    for (let match = LABEL.exec(rest); match; match = LABEL.exec(rest)) {
      labels[match[1]] = match[2].replace(/\\(.)/g, (whole, letter) => ESCAPES[letter] ?? whole);
      rest = rest.slice(match[0].length);
    }
    rest = rest.trimStart();
    if (!rest.startsWith('}')) return undefined;
    rest = rest.slice(1);
  }
  // A time stamp may follow the value.
  const [written] = rest.trim().split(/\s+/);
  const value = number(written);
  return written === '' || (Number.isNaN(value) && written !== 'NaN') ? undefined : { name, labels, value };
}

function number(written) {
  if (written === '+Inf') return Infinity;
  if (written === '-Inf') return -Infinity;
  return Number(written);
}
