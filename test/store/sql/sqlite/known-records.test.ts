import { describe, expect, it } from "vitest";
import { newSessionId } from "../../../../src/base/ids.ts";
import type { SessionRecord } from "../../../../src/store/contract.ts";
import { KnownRecords } from "../../../../src/store/sql/sqlite/known-records.ts";
import { aJournal, aSession, someEntries } from "../../../conformance/samples.ts";
import { sqliteSandbox } from "./sandbox.ts";

const { newPath, open } = sqliteSandbox();

describe("a record that is read again and again", () => {
  it("is as another connection has written it just now", async () => {
    const path = newPath();
    const [reader, writer] = [await open(path), await open(path)];
    const { id, lease } = await aJournal(writer, 1);
    const seen = async () => {
      for (let time = 0; time < 3; time += 1) await reader.get(id);
      return reader.get(id);
    };
    expect(await seen()).toMatchObject({ headSeq: 1, lease: { holder: lease.holder } });
    await writer.append(id, 1, someEntries(2, 2), lease);
    expect(await seen()).toMatchObject({ headSeq: 3, sealedSeq: 1 });
    await writer.update(id, { title: "Another" });
    expect(await seen()).toMatchObject({ title: "Another" });
    await writer.release(lease);
    expect(await seen()).not.toHaveProperty("lease");
    await writer.delete(id);
    expect(await seen()).toBeUndefined();
  });

  it("is as this one has written it just now", async () => {
    const store = await open(newPath());
    const { id } = await store.create(aSession());
    for (const title of ["one", "two", "three"]) {
      await store.update(id, { title });
      for (let time = 0; time < 3; time += 1) expect(await store.get(id)).toMatchObject({ title });
    }
    await store.delete(id);
    expect(await store.get(id)).toBeUndefined();
  });

  it("cannot be changed by who has it", async () => {
    const store = await open(newPath());
    const { id } = await store.create({ ...aSession(), metadata: { mine: "mine" } });
    for (let time = 0; time < 3; time += 1) {
      const record = await store.get(id);
      try {
        Object.assign(record?.metadata ?? {}, { mine: "theirs" });
      } catch {
        // It is frozen.
      }
    }
    expect(await store.get(id)).toMatchObject({ metadata: { mine: "mine" } });
  });
});

describe("known records", () => {
  const record = (title: string) => ({ ...aSession(), title, headSeq: 0, sealedSeq: 0 }) as SessionRecord;

  it("are read once for as long as nobody writes, and whoever writes in between asks of no others", () => {
    let [asked, read] = [0, 0];
    const versions = { written: 0, othersVersion: () => ((asked += 1), 7) };
    const known = new KnownRecords(versions);
    const id = newSessionId();
    const get = () => known.get(id, () => ((read += 1), record("a")));
    for (let time = 0; time < 10; time += 1) get();
    expect({ asked, read }).toEqual({ asked: 9, read: 2 });
    for (; versions.written < 10; versions.written += 1) get();
    expect(asked).toBe(10);
  });

  it("are forgotten when another has written while they were read", () => {
    let [version, title] = [1, "old"];
    const known = new KnownRecords({ written: 0, othersVersion: () => version });
    const id = newSessionId();
    const get = (meanwhile = () => {}) =>
      known.get(id, () => {
        const found = record(title);
        meanwhile();
        return found;
      });
    get();
    get(() => ([version, title] = [2, "new"]));
    expect(get()?.title).toBe("new");
  });
});
