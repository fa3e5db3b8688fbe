/** Copies of plain JSON data that nobody can change. */

/** A constructor that hands back what it is given, so that a class on top of it adds its private field to that. */
class Given {
  constructor(value: object) {
    return value;
  }
}

/**
 * What is on every frozen copy, and on nothing else: that an object is one, with all that is in it, is then seen
 * at once, where looking through it costs more than the rest of a call. A private field is part of no copy, no
 * comparison and no JSON. It is put on before the object is frozen.
 */
class Mark extends Given {
  readonly #isCopy = true;

  static isOn(value: object): boolean {
    return #isCopy in value;
  }
}

/**
 * A deep, frozen copy; keys that are `undefined` are left out. A frozen copy is its own copy, so that data which
 * goes from store to store is not copied each time.
 */
export function frozenCopy<T>(value: T): T {
  return copy(value) as T;
}

/** As `frozenCopy`, for an object that the caller has just made and has no further use for: it is frozen itself. */
export function frozen<T extends object>(made: T): Readonly<T> {
  for (const key in made) {
    const each = made[key];
    if (typeof each === "object" && each !== null && !Mark.isOn(each)) made[key] = frozenCopy(each);
  }
  return marked(made);
}

function copy(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Mark.isOn(value)) return value;
  return marked(
    Array.isArray(value) ? value.map(copy) : copyObject(value as Readonly<Record<string, unknown>>),
  );
}

function copyObject(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const copies: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const copied = copy(value[key]);
    if (copied === undefined) continue;
    // Assigning to it would set the prototype.
    if (key === "__proto__") Object.defineProperty(copies, key, { ...asData, value: copied });
    else copies[key] = copied;
  }
  return copies;
}

const asData = { configurable: true, enumerable: true, writable: true };

function marked<T extends object>(value: T): Readonly<T> {
  new Mark(value);
  return Object.freeze(value);
}
