/** What a file store does under the shim before the power fails: `node power-child.js MODE DIRECTORY FAULTS [ID]`. */
import { writeSync } from "node:fs";
import { openFileStore } from "../../../src/store/file/store.ts";
import type { SessionId } from "../../../src/base/ids.ts";
import { aJournal, aSession, leaseOf, someEntries } from "../../conformance/samples.ts";
import { FaultPage } from "../../torture/shim/faults.ts";

const [, , mode = "", directory = "", page = "", given = ""] = process.argv;
const faults = new FaultPage(page, "r+");
const store = await openFileStore({
  directory,
  ...(["rotate", "delete"].includes(mode) && { rotateBytes: 1 }),
});
const say = (line: string) => writeSync(1, `${line}\n`);

/** A fork that is refused because nothing can be synced; then all works again, and three more entries are safe. */
async function refusedFork(): Promise<void> {
  const { id, lease } = await aJournal(store, 3);
  await store.flush();
  await store.append(id, 3, someEntries(3, 4), lease);
  faults.set("EIO", "sync");
  const fork = store.create(aSession({ lineage: { parentId: id, atSeq: 3 } }));
  const refusal = await fork.then(
    () => "made",
    (error: unknown) => (error as { code?: string }).code,
  );
  if (refusal !== "STORE_FAILED") throw new Error(`The fork was ${refusal}`);
  faults.clear();
  await store.append(id, 6, someEntries(3, 7), lease);
  await store.flush();
  say(id);
}

/** A round of syncs that all fail, over more files than are synced at once. */
async function failedRound(): Promise<void> {
  await Promise.all(Array.from({ length: 20 }, () => aJournal(store, 1)));
  faults.set("EIO", "sync");
  const outcome = await store.flush().then(
    () => "done",
    () => "failed",
  );
  say(outcome);
}

async function oneJournal(): Promise<void> {
  const { id } = await aJournal(store, 3);
  await store.flush();
  say(id);
}

/** Goes on with a session from another process; `rotate`: moves what it has into a segment as well. */
async function goOn(id: SessionId): Promise<void> {
  const lease = await leaseOf(store, id);
  const head = (await store.get(id))?.headSeq ?? 0;
  await store.append(id, head, someEntries(1, head + 1), lease);
  await store.seal(id, { from: head + 2, head: head + 1 }, [], lease);
  await store.flush();
  say(id);
}

/** A fork whose parent is deleted first, both with a segment, goes, and its parent with it. */
async function deletion(): Promise<void> {
  const parent = await aJournal(store, 3);
  const { id } = await store.create(aSession({ lineage: { parentId: parent.id, atSeq: 3 } }));
  await goOn(parent.id);
  await goOn(id);
  await store.delete(parent.id);
  await store.flush();
  say(id);
  await store.delete(id);
}

if (mode === "fork") await refusedFork();
if (mode === "round") await failedRound();
if (mode === "delete") await deletion();
if (mode === "begin") await oneJournal();
if (mode === "rotate" || mode === "go-on") await goOn(given as SessionId);
await store.close();
