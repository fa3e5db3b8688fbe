/**
 * Numbers by ids, in a third of the room of a Map: of a long history every record has one. Of an id its hash is kept, in 53
 * bits; that two of a million have the same is less likely than that the disk has changed one.
 */

const firstSlots = 1024;

export class IdTable {
  /** 0 where a slot is free. */
  #keys = new Float64Array(firstSlots);
  #values = new Float64Array(firstSlots);
  #size = 0;

  get(id: string): number | undefined {
    const slot = this.#slotOf(keyOf(id));
    return this.#keys[slot] === 0 ? undefined : this.#values[slot];
  }

  set(id: string, value: number): void {
    const key = keyOf(id);
    const slot = this.#slotOf(key);
    const isNew = this.#keys[slot] === 0;
    this.#keys[slot] = key;
    this.#values[slot] = value;
    if (!isNew) return;
    this.#size += 1;
    if (this.#size * 4 > this.#keys.length * 3) this.#grow();
  }

  /** Where it stands, or would. */
  #slotOf(key: number): number {
    const last = this.#keys.length - 1;
    let slot = (key % 0x7fffffff) & last;
    while (this.#keys[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & last;
    return slot;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Float64Array(keys.length * 2);
    this.#values = new Float64Array(keys.length * 2);
    for (const [at, key] of keys.entries()) {
      if (key === 0) continue;
      const slot = this.#slotOf(key);
      this.#keys[slot] = key;
      this.#values[slot] = values[at] ?? 0;
    }
  }
}

function keyOf(id: string): number {
  let [high, low] = [0x811c9dc5, 0x1b873593];
  for (let at = 0; at < id.length; at += 1) {
    const code = id.charCodeAt(at);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x85ebca6b) ^ (low >>> 13);
  }
  return (high >>> 0) * 2 ** 21 + ((low ^ (low >>> 15)) & 0x1fffff) + 1;
}
