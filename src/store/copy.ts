/** Copies of plain JSON data that nobody can change. */

/**
 * A deep, frozen copy; keys that are `undefined` are left out. What is frozen throughout is its own copy, so
 * that data which goes from store to store is not copied each time.
 */
export function frozenCopy<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Array.isArray(value) ? copyArray(value) : copyObject(value as Readonly<Record<string, unknown>>);
}

function copyArray(value: readonly unknown[]): readonly unknown[] {
  const copies = value.map(copy);
  const isOwnCopy = Object.isFrozen(value) && copies.every((each, i) => each === value[i]);
  return isOwnCopy ? value : Object.freeze(copies);
}

function copyObject(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const copies: Record<string, unknown> = {};
  let isOwnCopy = Object.isFrozen(value);
  for (const key of Object.keys(value)) {
    const each = value[key];
    const copied = copy(each);
    isOwnCopy &&= copied === each && each !== undefined;
    if (copied === undefined) continue;
    // Assigning to it would set the prototype.
    if (key === "__proto__") Object.defineProperty(copies, key, { ...asData, value: copied });
    else copies[key] = copied;
  }
  return isOwnCopy ? value : Object.freeze(copies);
}

const asData = { configurable: true, enumerable: true, writable: true };
