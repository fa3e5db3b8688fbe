/** JSON values. */

/** Any JSON value, as the protocol carries it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The string itself, or `otherwise` for anything else. */
export function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

/** The string itself, if it is one. */
export function textIf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Whether `text` is the JSON of one object. */
export function isJsonObjectText(text: string): boolean {
  return objectIn(text) !== undefined;
}

/** The object that `text` is the JSON of, if it is that of one. */
export function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether two values of plain data have the same JSON, whatever the order of members. Neither may be deep. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [names, more] = [Object.keys(one), Object.keys(other)];
  if (names.length !== more.length) return false;
  const [ones, others] = [
    one as Readonly<Record<string, unknown>>,
    other as typeof one & Record<string, unknown>,
  ];
  for (const name of names)
    if (!Object.hasOwn(others, name) || !isSameJson(ones[name], others[name])) return false;
  return true;
}

/** Levels of the facts that a peer tells of itself; nobody needs deeper ones. */
const maxFactDepth = 32;

/** Facts as they are kept. If they are nested deeper than stores and readers take, only texts and numbers stay. */
export function keepable(facts: Readonly<Record<string, unknown>>): Json {
  if (!isDeeperThan(facts, maxFactDepth)) return facts as Json;
  const plain = Object.entries(facts).filter(([, value]) => typeof value !== "object");
  return Object.fromEntries(plain) as Json;
}

/** Level by level, because the value may be too deep for the stack. */
export function isDeeperThan(value: unknown, depth: number): boolean {
  let level: unknown[] = [value];
  for (let deep = 0; level.length > 0; deep += 1) {
    if (deep > depth) return true;
    const next: unknown[] = [];
    for (const each of level)
      if (typeof each === "object" && each !== null)
        for (const inner of Object.values(each)) next.push(inner);
    level = next;
  }
  return false;
}
