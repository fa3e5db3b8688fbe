import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSidecarError } from "../../src/base/errors.ts";
import { thisHolder } from "../../src/session/holder.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import type { NewEntry } from "../../src/store/contract.ts";
import { chunk, end, newEntry, prompt } from "./entries.ts";
import { flaky } from "./flaky-store.ts";
import { contents, entries, journalOf, open, other, session, stored } from "./journal-rig.ts";

describe("a write that fails", () => {
  it.each([
    ["append", "before", [chunk("1", "a"), chunk("3", "c")]],
    ["append", "after", [chunk("1", "a"), chunk("2", "b"), chunk("3", "c")]],
  ] as const)("leaves the journal usable: %s %s its effect", async (method, when, expected) => {
    const { store, id, journal, fail } = await journalOf();
    await journal.append(entries(chunk("1", "a")));
    fail(method, when);
    await expect(journal.append(entries(chunk("2", "b")))).rejects.toMatchObject({ code: "STORE_FAILED" });
    await journal.append(entries(chunk("3", "c")));
    expect(await contents(store, id)).toEqual(expected);
    expect(journal.headSeq).toBe(expected.length);
  });

  it.each(["before", "after"] as const)("loses and doubles nothing: a seal %s its effect", async (when) => {
    const { store, id, journal, fail } = await journalOf();
    await journal.append(entries(prompt(), chunk("a"), chunk("b")));
    fail("seal", when);
    await expect(journal.seal(entries(end))).rejects.toMatchObject({ code: "STORE_FAILED" });
    await journal.append(entries(chunk("late")));
    await journal.seal([]);
    const sealedEnd = when === "after" ? ["end"] : [];
    const said = when === "after" ? [chunk("ab"), ...sealedEnd, chunk("late")] : [chunk("ablate")];
    expect(await contents(store, id)).toEqual(["prompt", ...said]);
  });

  it("is followed by no other while the store does not say what became of it", async () => {
    const { store, id, journal, fail } = await journalOf();
    fail("append", "after");
    await expect(journal.append(entries(chunk("1", "a")))).rejects.toThrow();
    fail("get", "before");
    await expect(journal.append(entries(chunk("2", "b")))).rejects.toMatchObject({ code: "STORE_FAILED" });
    await journal.append(entries(chunk("3", "c")));
    expect(await contents(store, id)).toEqual([chunk("1", "a"), chunk("3", "c")]);
  });

  it("keeps what was acknowledged, once and in order, whatever fails when", async () => {
    const act = fc.record({
      what: fc.constantFrom("append", "seal", "renew", "reopen"),
      count: fc.integer({ min: 1, max: 3 }),
      fault: fc.constantFrom(undefined, undefined, "before", "after"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 20 }), async (acts) => {
        const { store, fail } = flaky(openMemoryStore());
        const id = await session(store);
        let { journal } = await open(store, id);
        const [acknowledged, attempted]: [string[], string[]] = [[], []];
        let next = 0;
        for (const { what, count, fault } of acts) {
          const news: NewEntry[] = Array.from({ length: count }, () =>
            newEntry(chunk("x", `m${(next += 1)}`)),
          );
          const datas = news.map(({ data }) => data);
          if (fault !== undefined && what !== "reopen") fail(what, fault);
          try {
            if (what === "append") {
              attempted.push(...datas);
              await journal.append(news);
              acknowledged.push(...datas);
            } else if (what === "seal") await journal.seal([]);
            else if (what === "renew") await journal.renew();
            else ({ journal } = await open(store, id));
          } catch (error) {
            if (!isSidecarError(error, "STORE_FAILED")) throw error;
          }
        }
        const found = await stored(store, id);
        expect(found.map(({ seq }) => seq)).toEqual(found.map((_, n) => n + 1));
        const datas = found.map(({ data }) => data);
        expect(new Set(datas).size).toBe(datas.length);
        expect(attempted.filter((data) => datas.includes(data))).toEqual(datas);
        expect(datas).toEqual(expect.arrayContaining(acknowledged));
      }),
      { numRuns: 150 },
    );
  });
});

describe("a lease", () => {
  it("that is lost lets nothing be written, and is not mistaken for a store that failed", async () => {
    const { store, id, journal, calls } = await journalOf();
    await journal.append(entries(chunk("mine")));
    await open(store, id, { holder: other });
    const asked = calls("get");
    const refused = { code: "LEASE_LOST", data: { holder: { pid: 1, host: "elsewhere" } } };
    await expect(journal.append(entries(chunk("x")))).rejects.toMatchObject(refused);
    await expect(journal.seal([])).rejects.toMatchObject(refused);
    await expect(journal.renew()).rejects.toMatchObject(refused);
    await expect(journal.update({ title: "x" })).rejects.toMatchObject(refused);
    expect(calls("get")).toBe(asked);
    await journal.release();
    expect((await store.get(id))?.lease?.holder).toEqual(other);
    expect(await contents(store, id)).toEqual([chunk("mine")]);
  });

  it("says that a turn runs with the next write, and stores who holds it when it is renewed", async () => {
    const { store, id, journal } = await journalOf();
    journal.setTurnRunning(true);
    expect((await store.get(id))?.lease?.turnRunning).toBe(false);
    await journal.append(entries(prompt()));
    expect((await store.get(id))?.lease?.turnRunning).toBe(true);
    const withAgent = { ...thisHolder(), agent: { pid: 7, startedAt: "7" } };
    await journal.renew(withAgent);
    expect((await store.get(id))?.lease).toMatchObject({ holder: withAgent, turnRunning: true });
    journal.setTurnRunning(false);
    await journal.seal(entries(end));
    expect((await store.get(id))?.lease?.turnRunning).toBe(false);
  });

  it("does not forget that a turn has begun while it is being renewed", async () => {
    const { store, id, journal, hold } = await journalOf();
    const free = hold("renew");
    const renewing = journal.renew();
    journal.setTurnRunning(true);
    const appending = journal.append(entries(prompt()));
    free();
    await Promise.all([renewing, appending]);
    expect(journal.lease.turnRunning).toBe(true);
    await journal.append(entries(chunk("a")));
    expect((await store.get(id))?.lease?.turnRunning).toBe(true);
  });

  it("that has been given back is nobody's, and giving it back again is nothing", async () => {
    const { store, id, journal } = await journalOf();
    await journal.release();
    expect((await store.get(id))?.lease).toBeUndefined();
    const second = await open(store, id, { holder: other, may: false });
    await journal.release();
    expect(second.previous).toBeUndefined();
    expect((await store.get(id))?.lease?.holder).toEqual(other);
  });
});
