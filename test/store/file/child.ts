/** What the file store's tests run in a process of its own: `node child.js MODE DIRECTORY [ARGUMENT …]`. */
import { closeSync, openSync, readdirSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import type { SessionId } from "../../../src/base/ids.ts";
import { openFileStore } from "../../../src/store/file/store.ts";
import type { Lease, Store } from "../../../src/store/contract.ts";
import { aHolder, always, anEntry, aSession, entriesOf, leaseOf } from "../../conformance/samples.ts";
import { actOf, perform } from "./acts.ts";

const [, , mode = "", directory = "", ...rest] = process.argv;
const say = (line: string) => writeSync(1, `${line}\n`);

/** Performs act after act and tells when each is done. */
async function acts(store: Store, id: SessionId, first: number): Promise<void> {
  const { lease } = await store.acquire(id, { holder: aHolder("child"), ttlMs: 60_000, mayTake: always });
  for (let i = first; ; i += 1) {
    await perform(store, id, actOf(i), lease);
    say(`${i}`);
    // Rotation goes on beside the acts.
    await setImmediate();
  }
}

/** Appends for as long as it may, and tells why it may no more. */
async function appendUntilRefused(store: Store, id: SessionId, lease: Lease, text: string): Promise<void> {
  let head = (await store.get(id))?.headSeq ?? 0;
  try {
    for (;;) {
      head = await store.append(id, head, [anEntry(`${head + 1} ${text}`)], lease);
      say(`${head}`);
    }
  } catch (error) {
    say(`${(error as { code?: string }).code} ${(error as Error).message}`);
  }
}

/** Forks each, whatever the other process does to it, and tells which forks there are. */
async function forkEach(store: Store, parents: readonly SessionId[]): Promise<void> {
  for (const parentId of parents) {
    try {
      say((await store.create(aSession({ lineage: { parentId, atSeq: 1 } }))).id);
    } catch (error) {
      say((error as { code?: string }).code ?? String(error));
    }
  }
}

/** Works on many sessions where only few files may be open, and leaves room for others. */
async function crowd(store: Store, sessions: number): Promise<void> {
  const ids: SessionId[] = [];
  for (let i = 0; i < sessions; i += 1) {
    const { id } = await store.create(aSession());
    await store.append(id, 0, [anEntry("first")], await leaseOf(store, id));
    ids.push(id);
  }
  await store.flush();
  say(`${readdirSync("/proc/self/fd").length} open`);
  // Whatever else the process opens takes what was left: then fewer journals are open.
  const others: number[] = [];
  try {
    for (;;) others.push(openSync("/dev/null", "r"));
  } catch {
    others.splice(0, 2).forEach(closeSync);
  }
  for (const id of ids) await store.append(id, 1, [anEntry("second")], await leaseOf(store, id));
  await store.flush();
  for (const id of ids) say((await entriesOf(store, id)).map(({ data }) => data).join());
  const fork = await store.create(aSession());
  say(`${await store.delete(fork.id)} ${(await store.list({ limit: 1000 })).items.length}`);
}

const store = await openFileStore({ directory, rotateBytes: 4096 });
const id = rest[0] as SessionId;
if (mode === "acts") await acts(store, id, Number(rest[1]));
if (mode === "append") {
  const { lease } = await store.acquire(id, { holder: aHolder("child"), ttlMs: 60_000, mayTake: always });
  await appendUntilRefused(store, id, lease, "x".repeat(Number(rest[1])));
}
if (mode === "fork") await forkEach(store, rest as SessionId[]);
if (mode === "delete") for (const each of rest as SessionId[]) await store.delete(each);
if (mode === "crowd") await crowd(store, Number(rest[0]));
await store.close();
