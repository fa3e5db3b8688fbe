import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SidecarError } from "../../src/base/errors.ts";
import { cutBlock, encodeBlocks, entriesIn } from "../../src/store/server/blocks.ts";
import { plainCause } from "../../src/store/server/cause.ts";
import { KeyedQueue } from "../../src/base/queue.ts";
import { readAhead } from "../../src/store/reading.ts";
import { Retrier, type Setback } from "../../src/store/server/retry.ts";
import { termsOfFilter } from "../../src/store/server/terms.ts";
import { postgresFailure } from "../../src/store/sql/postgres/failures.ts";
import { redisFailure } from "../../src/store/redis/failures.ts";
import type { NewEntry } from "../../src/store/contract.ts";

const entries = fc.array(
  fc.record({
    kind: fc.constantFrom<NewEntry["kind"]>("prompt", "update", "end"),
    atMs: fc.nat(),
    data: fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constant("\n 1 2 update 3 4\n"),
      fc.constant("é🚂\u0000"),
    ),
  }),
  { maxLength: 250 },
);

describe("blocks of entries", () => {
  it("give back what was put in, whatever is in it, from any entry through any other", () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.nat(), fc.nat(), (given, before, a, b) => {
        const texts = encodeBlocks(before + 1, given).map(({ text }) => text);
        const numbered = given.map((entry, index) => ({ seq: before + 1 + index, ...entry }));
        const [from, through] = [before + 1 + (a % 260), before + 1 + (b % 260)];
        expect(entriesIn(texts, before + 1, before + given.length)).toEqual(numbered);
        expect(entriesIn(texts, from, through)).toEqual(
          numbered.filter(({ seq }) => seq >= from && seq <= through),
        );
      }),
      { numRuns: 50 },
    );
  });

  it("can be cut before any entry", () => {
    const given = Array.from({ length: 5 }, (_, i): NewEntry => ({ kind: "update", atMs: i, data: `${i}` }));
    const [block] = encodeBlocks(11, given);
    for (let from = 11; from <= 16; from += 1) {
      const cut = cutBlock(block?.text ?? "", from).map(({ text }) => text);
      expect(entriesIn(cut, 11, 99).map(({ seq }) => seq)).toEqual([11, 12, 13, 14, 15].slice(0, from - 11));
    }
  });

  it("are small whatever they are made of, but for an entry that is large by itself", () => {
    const large: NewEntry = { kind: "update", atMs: 1, data: "x".repeat(1 << 16) };
    expect(encodeBlocks(1, Array(5).fill(large) as NewEntry[])).toHaveLength(5);
    const small: NewEntry = { ...large, data: "x" };
    expect(encodeBlocks(1, Array(250).fill(small) as NewEntry[]).map(({ count }) => count)).toEqual([
      100, 100, 50,
    ]);
  });
});

describe("calls in order", () => {
  it("go on behind one that failed, and do not hold up other keys", async () => {
    const order = new KeyedQueue<string>();
    const seen: string[] = [];
    let letGo = () => {};
    const held = order.run("a", () => new Promise<void>((resolve) => (letGo = resolve)));
    const failing = order.run("a", async () => {
      seen.push("a2");
      throw new Error("no");
    });
    const last = order.run("a", async () => void seen.push("a3"));
    await order.run("b", async () => void seen.push("b"));
    expect(seen).toEqual(["b"]);
    letGo();
    await Promise.all([held, expect(failing).rejects.toThrow("no"), last]);
    expect(seen).toEqual(["b", "a2", "a3"]);
    await order.idle();
  });
});

describe("second tries", () => {
  const trying = (setback: Setback, retryForMs: number, failures: number) => {
    const retrier = new Retrier({ retryForMs, setback: () => setback });
    const uncertain: boolean[] = [];
    const result = retrier.run(async (attempt) => {
      uncertain.push(attempt.uncertain);
      if (uncertain.length <= failures) throw new Error("failed");
      return "done";
    });
    return { result, uncertain };
  };

  it("tell a task whether an earlier try may have taken effect", async () => {
    const lost = trying("lost", 10_000, 2);
    expect([await lost.result, lost.uncertain]).toEqual(["done", [false, true, true]]);
    const again = trying("again", 0, 2);
    expect([await again.result, again.uncertain]).toEqual(["done", [false, false, false]]);
  });

  it("are not made when there is no use in them, or no more time", async () => {
    for (const { result, uncertain } of [trying("final", 10_000, 1), trying("away", 0, 1)]) {
      await expect(result).rejects.toThrow("failed");
      expect(uncertain).toEqual([false]);
    }
  });
});

describe("pages read ahead", () => {
  it("are fetched one ahead from the second on, and fail in their turn", async () => {
    let fetched = 0;
    const pages = readAhead(async () => {
      fetched += 1;
      if (fetched === 4) throw new Error("page 4");
      return fetched;
    });
    expect((await pages.next()).value).toBe(1);
    expect(fetched).toBe(1);
    expect((await pages.next()).value).toBe(2);
    expect(fetched).toBe(3);
    expect((await pages.next()).value).toBe(3);
    await expect(pages.next()).rejects.toThrow("page 4");
  });
});

describe("what network stores tell of failures", () => {
  it("keeps what drivers attach to their errors out of messages and causes", () => {
    const row = { detail: "Failing row contains (secret)", command: { args: ["secret"] }, code: "23502" };
    const error = Object.assign(new Error("null value\nsecret"), row);
    const { cause, message } = postgresFailure(error, "h:1/d");
    expect(
      JSON.stringify([cause, Object.entries(cause as Error), message]) + (cause as Error).stack,
    ).not.toContain("secret");
    expect(Object.keys(plainCause(error))).toEqual(["code"]);
    const reply = Object.assign(new Error("ERR wrong secret"), row);
    expect(redisFailure(reply, "h:1").message).not.toContain("secret");
  });

  it("tells a person what to do", () => {
    const coded = (code: string, message = "m") => Object.assign(new Error(message), { code });
    const postgres: [string, string, RegExp][] = [
      ["28P01", "STORE_UNAVAILABLE", /user or password/],
      ["53100", "STORE_FULL", /make room/],
      ["53300", "STORE_UNAVAILABLE", /pool=/],
      ["25006", "STORE_READONLY", /primary/],
      ["XX001", "STORE_CORRUPT", /damage/],
      ["40001", "STORE_LOCKED", /try again/],
      ["ECONNRESET", "STORE_UNAVAILABLE", /start it or check/],
    ];
    for (const [code, ours, text] of postgres) {
      expect(postgresFailure(coded(code), "h:1/d")).toMatchObject({
        code: ours,
        message: expect.stringMatching(text) as string,
      });
    }
    const redis: [string, string, RegExp][] = [
      ["NOAUTH Authentication required.", "STORE_UNAVAILABLE", /user or password/],
      ["MISCONF Errors writing to the AOF file", "STORE_READONLY", /disk/],
      ["READONLY You can't write against a read only replica.", "STORE_READONLY", /primary/],
      ["LOADING Redis is loading the dataset in memory", "STORE_UNAVAILABLE", /try again/],
      ["Connection is closed.", "STORE_UNAVAILABLE", /start it or check/],
    ];
    for (const [message, ours, text] of redis) {
      expect(redisFailure(new Error(message), "h:1")).toMatchObject({
        code: ours,
        message: expect.stringMatching(text) as string,
      });
    }
    const own = new SidecarError("STORE_CLOSED", "closed");
    expect([postgresFailure(own, "p"), redisFailure(own, "p")]).toEqual([own, own]);
  });
});

describe("terms to search by", () => {
  it("tell values of different kinds and types apart", () => {
    const filters = [
      { metadata: { a: 1 } },
      { metadata: { a: "1" } },
      { metadata: { a: true } },
      { metadata: { a: "true" } },
      { agentSessionId: "x" },
      { cwd: "x" },
      { metadata: { cwd: "x" } },
    ];
    expect(new Set(filters.flatMap(termsOfFilter)).size).toBe(filters.length);
  });
});
