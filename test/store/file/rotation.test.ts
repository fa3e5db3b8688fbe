import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { inspectFileStore } from "../../../src/care/file/repair.ts";
import type { SessionId } from "../../../src/base/ids.ts";
import type { Store } from "../../../src/store/contract.ts";
import { openFileStore } from "../../../src/store/file/store.ts";
import { aSession, entriesOf, leaseOf, someEntries } from "../../conformance/samples.ts";
import { aDirectory, rotating, journalOf, using } from "./sandbox.ts";
import { storeConformance } from "../../conformance/suite.ts";
import { onDisk } from "../media.ts";

// What the suite asks of files in file/store.test.ts, once more.
describe("a store that always rotates", { tags: ["long"] }, () => {
  storeConformance(
    { describe, it },
    {
      // Every seal moves the final entries into a segment, and no more than two journals are open.
      name: "file, rotating all the time,",
      ...onDisk((directory) => openFileStore({ directory, rotateBytes: 1, maxOpenFiles: 2 })),
      capabilities: { persistent: true, shared: true, survivesPowerLoss: true },
      modelRuns: 10,
    },
  );
});

describe("a rotation", () => {
  it("does not carry a final entry along with one that came behind it meanwhile", async () => {
    const directory = aDirectory();
    const first = await openFileStore({ directory, ...rotating });
    const { id } = await first.create(aSession());
    const lease = await leaseOf(first, id);
    await first.append(id, 0, someEntries(3), lease);
    await first.seal(id, { from: 1, head: 3 }, someEntries(2), lease);
    // While the segment of the first two is being written.
    await first.append(id, 2, someEntries(2, 3), lease);
    await first.close();
    expect(existsSync(journalOf(directory, id, 2))).toBe(true);
    const second = await openFileStore({ directory, ...rotating });
    await second.seal(id, { from: 5, head: 4 }, [], lease);
    await second.close();
    expect(existsSync(journalOf(directory, id, 3))).toBe(true);
    expect(await inspectFileStore(directory)).toEqual({ entries: 4, damage: [], setAside: [] });
  });
});

describe("an entry as large as a message may be", { tags: ["long"] }, () => {
  it("is appended, sealed, rotated and read", async () => {
    const directory = aDirectory();
    const data = JSON.stringify({ text: "x→".repeat(15 << 20) });
    const entry = { kind: "update", atMs: 1, data } as const;
    const isThere = async (store: Store, id: SessionId) =>
      (await entriesOf(store, id)).map((found) => found.data === data);
    const store = await openFileStore({ directory, ...rotating });
    const { id } = await store.create(aSession());
    const lease = await leaseOf(store, id);
    await store.append(id, 0, [entry], lease);
    expect(await using(directory, (other) => isThere(other, id))).toEqual([true]);
    await store.seal(id, { from: 1, head: 1 }, [entry], lease);
    await store.close();
    expect(existsSync(journalOf(directory, id, 2))).toBe(true);
    expect(await using(directory, (other) => isThere(other, id))).toEqual([true]);
  }, 60_000);
});
