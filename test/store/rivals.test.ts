/** Several processes on one store, race after race: what must be true of leases, entries and lists however they end. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadEngine } from "../../src/sqlite/engines.ts";
import type { SessionId } from "../../src/base/ids.ts";
import type { Metadata, Store } from "../../src/store/contract.ts";
import { aSession, entriesOf, listAll, noon } from "../conformance/samples.ts";
import type { HistoryEvent } from "../torture/checker/history.ts";
import { postgresSandbox } from "./sql/postgres/sandbox.ts";
import { redisSandbox } from "./redis/sandbox.ts";
import { nowNs, type Outcomes } from "./rivals/orders.ts";
import { openRaced } from "./rivals/open.ts";
import { rivalProgram, Rivals, runOf, type Rival } from "./rivals/rivals.ts";
import { Writer } from "./rivals/turn.ts";
import { describeServer } from "./servers.ts";

const races = 25;
const freezes = 5;
const leaseTtlMs = 100;
const seed = process.env["TEST_SEED"] ?? "rivals";

const { directory, program } = await rivalProgram();
afterAll(() => rm(directory, { recursive: true }));

interface Medium {
  readonly url: string;
  /** Frees what a process holds that is frozen in the middle of a write, where a medium has such a lock. */
  readonly isLocked?: () => boolean;
  readonly close?: () => Promise<void>;
}

function raced(name: string, medium: Medium, tags: readonly "long"[] = []): void {
  describe(`processes that share ${name}`, { tags: [...tags] }, () => {
    const rivals = new Rivals(program);
    let store: Store;
    let judge: Writer;
    let all: readonly Rival[];
    let doomed: Rival;

    beforeAll(async () => {
      store = await openRaced(medium.url);
      judge = new Writer(store, "judge", (event) => rivals.note(event));
      const names = ["a", "b", "c", "d"].map((letter) => letter + name.replace(/\W/g, "").toLowerCase());
      const started = await Promise.all(names.map((each) => rivals.start(medium.url, each)));
      all = started.slice(0, 3);
      doomed = started[3] as Rival;
    });
    afterAll(async () => {
      await rivals.end();
      await store.close();
      await medium.close?.();
    });

    const sessions = (count: number) => Promise.all(Array.from({ length: count }, () => judge.create()));
    const check = (ids: readonly SessionId[]) => rivals.check(store, ids);
    const everyone = (act: (rival: Rival) => Promise<Outcomes>) => Promise.all(all.map(act));

    it("give a free session to one of them, and the others are told that it is busy", async () => {
      const ids = await sessions(races);
      const asked = await everyone((rival) => rival.told({ do: "acquire", ids, take: false }));
      for (const id of ids) {
        const said = asked.map((outcomes) => outcomes[id]);
        expect(said.filter((each) => each !== "SESSION_BUSY")).toEqual([expect.any(Number)]);
      }
      const written = await everyone((rival) => {
        const own = ids.filter((id) => typeof asked[all.indexOf(rival)]?.[id] === "number");
        return rival.told({ do: "write", ids: own });
      });
      expect(Object.values(Object.assign({}, ...written) as Outcomes)).toEqual(ids.map(() => "done"));
      await check(ids);
    });

    it("fence out whoever a session was taken from", async () => {
      const ids = await sessions(races);
      const taken = await everyone((rival) => rival.told({ do: "acquire", ids, take: true }));
      const written = await everyone((rival) => rival.told({ do: "write", ids }));
      for (const id of ids) {
        const fences = taken.map((outcomes) => outcomes[id]);
        expect(fences).toEqual(fences.map(() => expect.any(Number) as number));
        expect(new Set(fences).size).toBe(all.length);
        const last = Math.max(...fences.map(Number));
        const expected = fences.map((fence) => (fence === last ? "done" : "LEASE_LOST"));
        expect(written.map((outcomes) => outcomes[id])).toEqual(expected);
      }
      await check(ids);
    });

    it(`lose and double nothing when all take, write, let go and delete at once (seed ${seed})`, async () => {
      const ids = await sessions(races);
      const outcomes = await everyone((rival) =>
        rival.told({ do: "contend", ids, seed: `${seed} ${all.indexOf(rival)}`, deletes: rival === all[0] }),
      );
      const kinds = new Set(outcomes.flatMap((each) => Object.values(each)));
      expect(kinds).toContain("done");
      const refusals = ["done", "LEASE_LOST", "SESSION_NOT_FOUND"];
      expect([...kinds].filter((kind) => !refusals.includes(String(kind)))).toEqual([]);
      await check(ids);
    });

    /** The leases of one that is no more, or not awake, go to one of the others each, when they have run out. */
    async function takeOver(ids: readonly SessionId[]): Promise<void> {
      const [, second, third] = all as [Rival, Rival, Rival];
      const got = new Map<Rival, SessionId[]>([second, third].map((rival) => [rival, []]));
      for (let free = [...ids]; free.length > 0; await delay(10)) {
        const said = await Promise.all(
          [second, third].map((rival) => rival.told({ do: "acquire", ids: free, take: false })),
        );
        free = free.filter((id) => {
          const outcomes = said.map((each) => each[id]);
          if (outcomes.every((each) => each === "SESSION_BUSY")) return true;
          expect(outcomes.filter((each) => each !== "SESSION_BUSY")).toEqual([expect.any(Number)]);
          got.get(typeof outcomes[0] === "number" ? second : third)?.push(id);
          return false;
        });
      }
      for (const [rival, own] of got) {
        const written = await rival.told({ do: "write", ids: own });
        expect(Object.values(written)).toEqual(own.map(() => "done"));
      }
    }

    it("let a frozen process write nothing once its leases have run out and another one has them", async () => {
      const [sleeper] = all as [Rival];
      for (let freeze = 0; freeze < freezes; freeze += 1) {
        const ids = await sessions(races / freezes);
        await sleeper.told({ do: "acquire", ids, take: false, ttlMs: leaseTtlMs });
        const woken = sleeper.told({ do: "persist", ids });
        await sleeper.heard(30 + freeze);
        sleeper.process.kill("SIGSTOP");
        // Nobody can write while a lock is held, and no lease can help.
        while (medium.isLocked?.()) {
          sleeper.process.kill("SIGCONT");
          await delay(1);
          sleeper.process.kill("SIGSTOP");
        }
        await takeOver(ids);
        const before = await recordsOf(store, ids);
        sleeper.process.kill("SIGCONT");
        expect(Object.values(await woken)).toEqual(ids.map(() => "LEASE_LOST"));
        expect(await recordsOf(store, ids)).toEqual(before);
        await check(ids);
      }
    });

    it("list and find every session once while others are made, moved and deleted", async () => {
      const still = await Promise.all(
        Array.from({ length: 12 }, (_, at) =>
          store.create(
            aSession({ updatedAtMs: noon + 80 * at, metadata: { group: at % 2 ? "odd" : "even" } }),
          ),
        ),
      );
      await everyone((rival) => rival.told({ do: "stir", seed: `${seed} ${all.indexOf(rival)}` }));
      const lists = [];
      for (let at = 0; at < races; at += 1) {
        const group = ["even", "odd", undefined][at % 3];
        const filter = group === undefined ? {} : { metadata: { group } };
        const startNs = nowNs();
        const items = await listAll(store, { limit: 50, ...filter });
        lists.push({ group, startNs, endNs: nowNs(), items });
      }
      await everyone((rival) => rival.told({ do: "rest" }));
      for (const { group, startNs, endNs, items } of lists) {
        const listed = new Set(items.map(({ id }) => id));
        expect(listed.size).toBe(items.length);
        expect(items.filter(({ metadata }) => group !== undefined && metadata["group"] !== group)).toEqual(
          [],
        );
        const expected = still.filter(({ metadata }) => group === undefined || metadata["group"] === group);
        const ids = new Set(expected.map(({ id }) => id));
        expect(items.filter(({ id }) => ids.has(id))).toEqual(expected.reverse());
        const until = rivals.noted.filter(
          ({ event, atNs }) => atNs < (event.kind === "asked" ? endNs : startNs) && concerns(event, group),
        );
        runOf(until).check({ sessions: new Map(), listed });
      }
    });

    it("free the sessions of one that was killed in the middle of its writes, each for one of them", async () => {
      const ids = await sessions(races);
      await doomed.told({ do: "acquire", ids, take: false, ttlMs: leaseTtlMs });
      const dying = doomed.told({ do: "persist", ids });
      await doomed.heard(200);
      await doomed.end("SIGKILL");
      await takeOver(ids);
      await check(ids);
      void dying;
    });
  });
}

/** All that can be seen of sessions. */
function recordsOf(store: Store, ids: readonly SessionId[]): Promise<unknown> {
  return Promise.all(ids.map(async (id) => [await store.get(id), await entriesOf(store, id)]));
}

/** A session that was made for another group has no place in a list of this one. */
function concerns(event: HistoryEvent, group: string | undefined): boolean {
  if (group === undefined || event.kind !== "told") return true;
  const { sessionId, metadata } = (event.message.result ?? {}) as {
    readonly sessionId?: unknown;
    readonly metadata?: Metadata;
  };
  return sessionId === undefined || metadata?.["group"] === group;
}

const engine = await loadEngine();
const file = join(directory, "sessions.db");
raced("a SQLite file", {
  url: `sqlite:${file}`,
  isLocked: () => {
    const db = engine.open(file);
    try {
      db.exec("BEGIN IMMEDIATE; ROLLBACK");
      return false;
    } catch {
      return true;
    } finally {
      db.close();
    }
  },
});
raced("a directory", { url: `file:${join(directory, "sessions")}` });
describeServer("TEST_POSTGRES_URL", 5432, (url) => {
  const { url: own, close } = postgresSandbox(url);
  raced("a PostgreSQL", { url: own, close }, ["long"]);
});
describeServer("TEST_REDIS_URL", 6379, (url) => {
  const { url: own, close } = redisSandbox(url);
  raced("a Redis", { url: own, close }, ["long"]);
});
