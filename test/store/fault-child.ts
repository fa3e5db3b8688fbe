/** What a store is put through in a process of its own: `node fault-child.js MODE URL [ID | BALLAST]`. */
import { appendFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { openStore } from "../../src/store/open.ts";
import type { SessionId } from "../../src/base/ids.ts";
import type { Lease, Store } from "../../src/store/contract.ts";
import { aHolder, always, anEntry, aSession } from "../conformance/samples.ts";

const [, , mode = "", url = "", rest = ""] = process.argv;
const report = (facts: object) => writeSync(1, `${JSON.stringify(facts)}\n`);

interface Refusal {
  readonly code: string;
  readonly message: string;
}

const done: Refusal = { code: "done", message: "" };

function refusal(error: unknown): Refusal {
  return { code: (error as { code?: string }).code ?? "none", message: (error as Error).message };
}

async function textsOf(store: Store, id: SessionId): Promise<string[]> {
  const texts: string[] = [];
  for await (const page of store.read(id)) texts.push(...page.map(({ data }) => data));
  return texts;
}

/** What may be read, and how every write is refused. */
async function readOnly(store: Store, id: SessionId): Promise<void> {
  const { headSeq } = (await store.get(id)) ?? {};
  const entries = (await textsOf(store, id)).length;
  const { items } = await store.list();
  const writes = [
    store.acquire(id, { holder: aHolder(), ttlMs: 1000, mayTake: always }),
    store.update(id, { title: "x" }),
    store.create(aSession()),
    store.delete(id),
  ];
  const refusals = await Promise.all(writes.map((write) => write.then(() => done, refusal)));
  report({ headSeq, entries, listed: items.length, refusals });
}

/** Appends until there is no room, makes room, goes on, and looks at all of it anew. */
async function fill(store: Store, ballast: string): Promise<void> {
  const { id } = await store.create(aSession());
  const { lease } = await store.acquire(id, { holder: aHolder(), ttlMs: 60_000, mayTake: always });
  const texts: string[] = [];
  const append = async (to: Store, under: Lease) => {
    const entry = anEntry(`${texts.length} ${"x".repeat(9000)}`);
    await to.append(id, texts.length, [entry], under);
    texts.push(entry.data);
  };
  const filling = async () => {
    for (;;) await append(store, lease);
  };
  const full = await filling().catch(refusal);
  const acknowledged = texts.length;
  const kept = JSON.stringify(await textsOf(store, id)) === JSON.stringify(texts);
  rmSync(ballast);
  await append(store, lease);
  await store.close();
  const again = await openStore(url);
  await append(again, lease);
  const whole = JSON.stringify(await textsOf(again, id)) === JSON.stringify(texts);
  await again.close();
  report({ refusal: full, acknowledged, kept, whole });
}

/** A store on a disk that has no room left when it is opened next. */
async function fillBefore(ballast: string): Promise<void> {
  const store = await openStore(url);
  await store.create(aSession());
  await store.close();
  const block = Buffer.alloc(4096, 1);
  try {
    for (;;) appendFileSync(ballast, block);
  } catch {
    // Full.
  }
}

if (mode === "open-full") await fillBefore(rest);
// SQLite needs as much room again as its log has grown to.
if (mode === "fill") writeFileSync(rest, Buffer.alloc(1600 << 10, 1));
try {
  const store = await openStore(url);
  if (mode === "read-only") await readOnly(store, rest as SessionId);
  if (mode === "fill") await fill(store, rest);
  await store.close();
} catch (error) {
  report({ refusal: refusal(error) });
}
