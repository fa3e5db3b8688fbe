import { describe, expect, it } from "vitest";
import { newSessionId } from "../../src/base/ids.ts";
import type { Tell } from "../../src/session/events.ts";
import { HeldRoom } from "../../src/session/held.ts";
import { thisHolder } from "../../src/session/holder.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { Store } from "../../src/store/contract.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { chunk, end, prompt, tool, type Item } from "./entries.ts";
import { flaky } from "./flaky-store.ts";
import { contents, entries, journalOf, open, other, session, stored } from "./journal-rig.ts";

const seqsIn = (news: object) => (news as { entries: { seq: number }[] }).entries.map(({ seq }) => seq);

describe("a journal", () => {
  it("appends without a gap, and a seal folds the turn and makes it final", async () => {
    const { store, id, journal } = await journalOf();
    await journal.append(entries(prompt(), chunk("a")));
    await journal.append(entries(chunk("b")));
    await journal.append([]);
    expect([journal.headSeq, journal.sealedSeq]).toEqual([3, 0]);
    await journal.seal(entries(end));
    expect([journal.headSeq, journal.sealedSeq]).toEqual([3, 3]);
    expect(await contents(store, id)).toEqual(["prompt", chunk("ab"), "end"]);
    await journal.append(entries(prompt(), chunk("c")));
    await journal.seal(entries(end));
    expect((await stored(store, id)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("leaves alone what folding does not change, so that places which were given out stay", async () => {
    const { store, id, journal, lastCall } = await journalOf();
    await journal.append(entries(prompt(), chunk("whole", "1"), chunk("a", "2"), chunk("b", "2")));
    const before = await stored(store, id);
    await journal.seal([]);
    expect(lastCall("seal")[1]).toEqual({ from: 3, head: 4 });
    expect((await stored(store, id)).slice(0, 2)).toEqual(before.slice(0, 2));
    expect(journal.headSeq).toBe(3);
  });

  it("folds what is large before it is written: it is written once, and not read back", async () => {
    const told: string[] = [];
    const { store, calls, lastCall } = flaky(openMemoryStore());
    const id = await session(store);
    const tell: Tell = (event, news) => void told.push(`${event} ${JSON.stringify(seqsIn(news()))}`);
    const { journal } = await open(store, id, { durability: "full", tell });
    await journal.append(entries(prompt(), chunk("a", "1"), tool({ title: "T" }, "tool_call")));
    const output = "x".repeat(5 << 20);
    const before = [calls("append"), calls("seal"), calls("flush")];
    await journal.append(entries(chunk("b", "1"), tool({ rawOutput: output, status: "completed" })));
    const after = [calls("append"), calls("seal"), calls("flush")];
    expect(after.map((count, at) => count - (before[at] ?? 0))).toEqual([0, 1, 1]);
    expect(lastCall("seal")[1]).toEqual({ from: 2, head: 3 });
    expect([journal.headSeq, journal.sealedSeq]).toEqual([3, 3]);
    const kept = await contents(store, id);
    expect(kept.slice(0, 2)).toEqual(["prompt", chunk("ab", "1")]);
    const call = kept[2] as unknown as { rawOutput: string };
    expect(call.rawOutput === output).toBe(true);
    expect({ ...call, rawOutput: "" }).toEqual(
      tool({ title: "T", rawOutput: "", status: "completed" }, "tool_call"),
    );
    // Subscribers hear of it as if it had been appended, and then sealed.
    expect(told).toEqual(["append [1,2,3]", "append [4,5]", "seal [2,3]"]);
    await journal.append(entries(chunk("c")));
    expect(journal.headSeq).toBe(4);
  });

  it("seals by itself before the unsealed part grows beyond what may be held", async () => {
    const { store, id, journal } = await journalOf();
    const big = "x".repeat(1 << 20);
    for (let n = 0; n < 9; n += 1) await journal.append(entries(chunk(big, "1")));
    expect(journal.sealedSeq).toBeGreaterThan(0);
    await journal.append(entries(chunk("end", "1")));
    const texts = (await contents(store, id)) as unknown as { content: { text: string } }[];
    expect(texts.map(({ content }) => content.text).join("").length).toBe(9 * big.length + 3);
  });

  it("keeps what is not sealed at hand while there is room for it, among all journals", async () => {
    const store = openMemoryStore();
    const reads: string[] = [];
    const read: Store["read"] = (id, range) => {
      reads.push(id);
      return store.read(id, range);
    };
    const counted = new Proxy(store, {
      get: (_, name) => {
        const value: unknown = name === "read" ? read : Reflect.get(store, name, store);
        return typeof value === "function" ? (value.bind(store) as unknown) : value;
      },
    });
    const room = new HeldRoom();
    const journals = await Promise.all(
      [1, 2, 3].map(async () => (await open(counted, await session(store), { room })).journal),
    );
    const half = "x".repeat(0.7 * (1 << 20));
    const turn = entries(prompt(), chunk(half, "1"), chunk(half, "2"), chunk("b", "2"));
    const kept = ["prompt", chunk(half, "1"), chunk(`${half}b`, "2"), "end"];
    for (const journal of journals) await journal.append(turn);
    for (const journal of journals) {
      await journal.seal(entries(end));
      expect(JSON.stringify(await contents(store, journal.id)) === JSON.stringify(kept)).toBe(true);
    }
    expect(reads).toEqual([journals[2]?.id]);
    // Sealed or let go, they make room for others.
    await journals[2]?.append(turn);
    journals[2]?.endUse();
    for (const journal of journals.slice(0, 2)) {
      await journal.append(turn);
      await journal.seal(entries(end));
    }
    expect(reads).toHaveLength(1);
  });

  it.each([
    ["none", 0, 0],
    ["turn", 0, 1],
    ["full", 2, 3],
  ] as const)(
    "at durability %s has the medium sync after %i appends and %i with the turn's end",
    async (durability, appended, settled) => {
      const { journal, calls } = await journalOf(durability);
      await journal.append(entries(prompt()));
      await journal.append(entries(chunk("a")));
      expect(calls("flush")).toBe(appended);
      await journal.seal(entries(end));
      await journal.settle();
      expect(calls("flush")).toBe(settled);
    },
  );
});

describe("a journal's lease", () => {
  it("says that a turn runs until its end is written, whatever else is written meanwhile", async () => {
    const { store, id, journal, lastCall } = await journalOf();
    journal.setTurnRunning(true);
    await journal.append(entries(prompt()));
    const ending = journal.sealTurn(entries(end));
    await journal.renew();
    expect(lastCall("renew")).toMatchObject([{ turnRunning: true }]);
    await ending;
    expect((await store.get(id))?.lease?.turnRunning).toBe(false);
    await journal.renew();
    expect(lastCall("renew")).toMatchObject([{ turnRunning: false }]);
  });
});

describe("a session that a holder left behind", () => {
  async function leftBehind(items: readonly Item[], turnRunning: boolean) {
    const { store, id, journal, hold } = await journalOf();
    journal.setTurnRunning(turnRunning);
    await journal.append(entries(...items));
    return { store, id, journal, hold };
  }

  it("is sealed when it is opened, and an interrupted turn gets its end", async () => {
    const { store, id } = await leftBehind([prompt(), chunk("a"), chunk("b")], true);
    const { journal, previous } = await open(store, id, { holder: other });
    expect(previous).toMatchObject({ turnRunning: true, holder: thisHolder() });
    expect(await contents(store, id)).toEqual(["prompt", chunk("ab"), "end"]);
    expect(JSON.parse((await stored(store, id)).at(-1)?.data ?? "")).toMatchObject({ interrupted: true });
    expect([journal.headSeq, journal.sealedSeq]).toEqual([3, 3]);
    expect(await store.get(id)).toMatchObject({ headSeq: 3, sealedSeq: 3 });
  });

  it("gets the end of its turn once, also when who takes it loses it before that is written", async () => {
    const { store, id, hold } = await leftBehind([prompt(), chunk("a")], true);
    const goOn = hold("acquire");
    const taking = open(store, id, { holder: other }).catch((error: unknown) => error);
    const third = { ...other, pid: 2 };
    const { previous } = await open(store, id, { holder: third });
    expect(previous).toMatchObject({ turnRunning: true, holder: other });
    goOn();
    expect(await taking).toMatchObject({ code: "LEASE_LOST" });
    expect(await contents(store, id)).toEqual(["prompt", chunk("a"), "end"]);
    expect((await store.get(id))?.lease).toMatchObject({ turnRunning: false, holder: third });
  });

  it("gets no end when no turn ran", async () => {
    const { store, id } = await leftBehind([chunk("a"), chunk("b")], false);
    await open(store, id, { holder: other });
    expect(await contents(store, id)).toEqual([chunk("ab")]);
  });

  it("gets its end, too, when all of the interrupted turn was sealed on the way", async () => {
    const { store, id, journal } = await leftBehind([prompt(), chunk("a")], true);
    await journal.seal([]);
    await open(store, id, { holder: other });
    expect(await contents(store, id)).toEqual(["prompt", chunk("a"), "end"]);
  });

  it("is left as it is when it was given back in order", async () => {
    const { store, id, journal } = await leftBehind([prompt(), chunk("a")], true);
    journal.setTurnRunning(false);
    await journal.seal(entries(end));
    await journal.release();
    const { previous } = await open(store, id, { holder: other });
    expect(previous).toBeUndefined();
    expect(await contents(store, id)).toEqual(["prompt", chunk("a"), "end"]);
  });
});

describe("a journal that cannot be opened", () => {
  it.each([
    ["get", "before"],
    ["seal", "before"],
    ["seal", "after"],
  ] as const)(
    "is left as a holder left it in a turn, where %s fails %s it had its effect",
    async (method, when) => {
      const { store, id, journal, fail } = await journalOf();
      journal.setTurnRunning(true);
      await journal.append(entries(prompt(), chunk("a")));
      fail(method, when);
      await expect(open(store, id, { holder: other })).rejects.toMatchObject({ code: "STORE_FAILED" });
      await open(store, id, { holder: other });
      expect(await contents(store, id)).toEqual(["prompt", chunk("a"), "end"]);
    },
  );

  it("because it is in the trash has its end when it is back", async () => {
    const { store, id, journal } = await journalOf();
    journal.setTurnRunning(true);
    await journal.append(entries(prompt(), chunk("a")));
    const registry = new SessionRegistry({ store });
    expect(await registry.remove(id, { force: true })).toBe(true);
    await expect(open(store, id, { holder: other })).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    expect(await registry.trash.restore(id)).toMatchObject({ id });
    await open(store, id, { holder: other });
    expect(await contents(store, id)).toEqual(["prompt", chunk("a"), "end"]);
  });

  it("is not held", async () => {
    for (const method of ["get", "seal"] as const) {
      const { store, fail } = flaky(openMemoryStore());
      const id = await session(store);
      const first = await open(store, id);
      await first.journal.append(entries(chunk("a"), chunk("b")));
      fail(method, "before");
      await expect(open(store, id, { holder: other })).rejects.toMatchObject({ code: "STORE_FAILED" });
      const { journal } = await open(store, id, { holder: other, may: false });
      expect(journal.headSeq).toBe(1);
    }
  });

  it("says who has it, or that it is not there", async () => {
    const { store, id } = await journalOf();
    await expect(open(store, id, { holder: other, may: false })).rejects.toMatchObject({
      code: "SESSION_BUSY",
      data: { sessionId: id, holder: { pid: process.pid } },
    });
    await expect(open(store, newSessionId())).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
  });
});
