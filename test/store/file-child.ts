/** What the file store's tests run in a process of its own: `node file-child.js MODE DIRECTORY [ARGUMENT …]`. */
import { writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import type { SessionId } from "../../src/base/ids.ts";
import { openFileStore } from "../../src/store/file/store.ts";
import type { Lease, Store } from "../../src/store/contract.ts";
import { aHolder, always, anEntry } from "../conformance/samples.ts";
import { actOf, perform } from "./file-acts.ts";

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

const store = await openFileStore({ directory, rotateBytes: 4096 });
const id = rest[0] as SessionId;
if (mode === "acts") await acts(store, id, Number(rest[1]));
if (mode === "append") {
  const { lease } = await store.acquire(id, { holder: aHolder("child"), ttlMs: 60_000, mayTake: always });
  await appendUntilRefused(store, id, lease, "x".repeat(Number(rest[1])));
}
await store.close();
