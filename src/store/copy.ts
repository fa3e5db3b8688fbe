/** Copies of plain JSON data that nobody can change. */

/** A deep, frozen copy; keys that are `undefined` are left out. */
export function frozenCopy<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(copy));
  const copies: Record<string, unknown> = {};
  for (const [key, each] of Object.entries(value)) {
    const copied = copy(each);
    if (copied === undefined) continue;
    // Assigning to it would set the prototype.
    if (key === "__proto__") Object.defineProperty(copies, key, { ...asData, value: copied });
    else copies[key] = copied;
  }
  return Object.freeze(copies);
}

const asData = { configurable: true, enumerable: true, writable: true };
