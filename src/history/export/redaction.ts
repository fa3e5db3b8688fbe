/** Entries and records without what looks like a secret. */
import { jsonTextOf } from "../../base/json-text.ts";
import { isRecord } from "../../base/json.ts";
import { hidden } from "../../base/redact.ts";
import { withoutSecretShapes } from "../../base/secret-shapes.ts";
import { isSecretName } from "../../base/secret-values.ts";
import type { Entry, SessionRecord } from "../../store/contract.ts";

type Holder = Record<string, unknown> | unknown[];

/** Counts what it takes out. */
export class Redaction {
  places = 0;

  entry(entry: Entry): Entry {
    const { data } = entry;
    let value: unknown;
    try {
      value = JSON.parse(data);
    } catch {
      return { ...entry, data: this.#text(data) };
    }
    const before = this.places;
    const safe = this.#value(value);
    return this.places === before ? entry : { ...entry, data: jsonTextOf(safe) };
  }

  record(record: SessionRecord): SessionRecord {
    return this.#value(structuredClone(record)) as SessionRecord;
  }

  /** Changes what it is given. Without recursion: it may be nested as deep as it likes. */
  #value(value: unknown): unknown {
    if (typeof value === "string") return this.#text(value);
    const open: unknown[] = [value];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (typeof next !== "object" || next === null) continue;
      const holder = next as Holder;
      for (const [name, each] of Object.entries(holder)) {
        const safe = typeof each === "string" ? this.#member(holder, name, each) : each;
        if (safe !== each) put(holder, name, safe);
        else if (typeof each === "object") open.push(each);
      }
    }
    return value;
  }

  #member(holder: Holder, name: string, text: string): string {
    // As ACP has variables and headers: `{ "name": …, "value": … }`.
    const isNamed = name === "value" && isRecord(holder) && typeof holder.name === "string";
    const called = isNamed ? String(holder.name) : name;
    if (!Array.isArray(holder) && text.length >= 4 && isSecretName(called)) {
      this.places += 1;
      return hidden;
    }
    return this.#text(text);
  }

  #text(text: string): string {
    const { text: safe, places } = withoutSecretShapes(text);
    this.places += places;
    return safe;
  }
}

/** Also under the name `__proto__`. */
function put(holder: Holder, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, writable: true, enumerable: true, configurable: true });
}
