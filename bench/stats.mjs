/** Figures from samples. */

export function quantile(samples, q) {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

export function median(samples) {
  return quantile(samples, 0.5);
}

/** Lists of samples by name, filled over the rounds. */
export class Samples {
  #byName = new Map();

  add(name, ...values) {
    const list = this.#byName.get(name) ?? [];
    list.push(...values);
    this.#byName.set(name, list);
  }

  median(name) {
    return median(this.#byName.get(name) ?? []);
  }

  min(name) {
    return Math.min(...(this.#byName.get(name) ?? []));
  }

  /** The median over the rounds of the ratio of two names in the same round. */
  ratio(name, to) {
    const [these, those] = [this.#byName.get(name), this.#byName.get(to)];
    return median(these.map((value, round) => value / those[round]));
  }
}
