import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import {
  aJournal,
  aSession,
  assertJournal,
  entriesOf,
  rejectsWith,
  someEntries,
} from "../../../conformance/samples.ts";
import { sqliteSandbox } from "./sandbox.ts";

const { newPath, open, raw } = sqliteSandbox();

describe("a SQLite store whose file is locked by another process", () => {
  it("waits without freezing the event loop, and carries out writes in the order of the calls", async () => {
    const path = newPath();
    const store = await open(path);
    const { id, lease } = await aJournal(store, 0);
    const other = raw(path);
    other.exec("BEGIN IMMEDIATE");
    let written = 0;
    const calls = Array.from({ length: 10 }, (_, i) =>
      store.append(id, i, someEntries(1, i + 1), lease).finally(() => (written += 1)),
    );
    await delay(100);
    expect(written).toBe(0);
    expect((await entriesOf(store, id)).length).toBe(0);
    other.exec("COMMIT");
    // A call made when the lock is free again does not overtake those that wait.
    calls.push(store.append(id, 10, someEntries(1, 11), lease));
    await Promise.all(calls);
    await assertJournal(store, id, someEntries(11));
  });

  it("gives up after the time it was told, having changed nothing, and works when the lock is gone", async () => {
    const path = newPath();
    const store = await open(path, { lockWaitMs: 60 });
    const { id, lease } = await aJournal(store, 1);
    const other = raw(path);
    other.exec("BEGIN IMMEDIATE");
    await rejectsWith("STORE_LOCKED", store.append(id, 1, someEntries(2, 2), lease));
    await rejectsWith("STORE_LOCKED", store.create(aSession()));
    other.exec("COMMIT");
    expect(await store.append(id, 1, someEntries(2, 2), lease)).toBe(3);
    await assertJournal(store, id, someEntries(3));
  });

  it("finishes what waits before it closes", async () => {
    const path = newPath();
    const store = await open(path);
    const { id, lease } = await aJournal(store, 0);
    const other = raw(path);
    other.exec("BEGIN IMMEDIATE");
    const appending = store.append(id, 0, someEntries(1), lease);
    const closing = store.close();
    await rejectsWith("STORE_CLOSED", store.append(id, 1, someEntries(1, 2), lease));
    other.exec("COMMIT");
    expect(await appending).toBe(1);
    await closing;
    await assertJournal(await open(path), id, someEntries(1));
  });
});
