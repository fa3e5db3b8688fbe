/** A history of a session that follows from a number alone: what was done, and what must be there then. */
import type { SessionId } from "../../../src/base/ids.ts";
import type { Lease, NewEntry, Store } from "../../../src/store/contract.ts";
import { anEntry } from "../../conformance/samples.ts";

export type Act =
  | { readonly what: "append"; readonly texts: readonly string[] }
  /** All that is not final becomes one entry. */
  | { readonly what: "seal"; readonly text: string }
  | { readonly what: "title"; readonly text: string };

export function actOf(i: number): Act {
  if (i % 7 === 6) return { what: "seal", text: `sealed ${i}` };
  if (i % 11 === 5) return { what: "title", text: `title ${i}` };
  const count = 1 + ((i * 5) % 4);
  const padding = "é".repeat((i * 37) % 300);
  return { what: "append", texts: Array.from({ length: count }, (_, j) => `${i}.${j} ${padding}`) };
}

export interface Model {
  readonly texts: readonly string[];
  readonly sealed: number;
  readonly title: string | undefined;
}

/** What acts 0 … `count - 1` lead to. */
export function modelAfter(count: number): Model {
  let texts: string[] = [];
  let sealed = 0;
  let title: string | undefined;
  for (let i = 0; i < count; i += 1) {
    const act = actOf(i);
    if (act.what === "append") texts.push(...act.texts);
    else if (act.what === "title") title = act.text;
    else {
      texts = [...texts.slice(0, sealed), act.text];
      sealed = texts.length;
    }
  }
  return { texts, sealed, title };
}

export async function perform(store: Store, id: SessionId, act: Act, lease: Lease): Promise<void> {
  const record = await store.get(id);
  if (record === undefined) throw new Error("The session is gone");
  const { headSeq, sealedSeq } = record;
  const entries = (texts: readonly string[]): NewEntry[] => texts.map((text) => anEntry(text));
  if (act.what === "append") await store.append(id, headSeq, entries(act.texts), lease);
  else if (act.what === "title") await store.update(id, { title: act.text }, lease);
  else await store.seal(id, { from: sealedSeq + 1, head: headSeq }, entries([act.text]), lease);
}

export async function stateOf(store: Store, id: SessionId): Promise<Model> {
  const record = await store.get(id);
  const texts: string[] = [];
  let seq = 0;
  for await (const page of store.read(id)) {
    for (const entry of page) {
      seq += 1;
      if (entry.seq !== seq) throw new Error(`Entry ${entry.seq} where ${seq} should be`);
      texts.push((JSON.parse(entry.data) as { text: string }).text);
    }
  }
  if (record?.headSeq !== seq) throw new Error(`${seq} entries, and a head of ${record?.headSeq}`);
  return { texts, sealed: record.sealedSeq, title: record.title };
}
