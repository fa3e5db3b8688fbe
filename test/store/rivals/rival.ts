/** A process of its own that contends for sessions, told what to do by its parent: `rival.mjs URL NAME`. */
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { setImmediate, setTimeout as delay } from "node:timers/promises";
import type { SessionId } from "../../../src/base/ids.ts";
import { openRaced } from "./open.ts";
import type { Lease } from "../../../src/store/contract.ts";
import { anEntry, noon } from "../../conformance/samples.ts";
import { Random } from "../../torture/world/random.ts";
import { nowNs, type Order, type Outcomes, type Said } from "./orders.ts";
import { Writer } from "./turn.ts";

const rounds = 4;
const minuteMs = 60_000;
/** Sessions of its own that it stirs; enough to fill pages, few enough to be listed in a moment. */
const [mostKept, mostAlive] = [20, 40];

const [, , url = "", name = ""] = process.argv;
const store = await openRaced(url);
const holder = { host: "here", pid: process.pid, startedAt: name };
const writer = new Writer(store, name, (event) => say({ event, atNs: nowNs() }));
const leases = new Map<SessionId, Lease>();
let resting = Promise.resolve();
let isStirring = false;

/** Out of our hands when it returns: a process that is killed takes nothing back that it said. */
function say(said: Said): void {
  writeSync(1, `${JSON.stringify(said)}\n`);
}

async function acquire(id: SessionId, take: boolean, ttlMs = minuteMs): Promise<Lease> {
  const { lease } = await store.acquire(id, { holder, ttlMs, mayTake: () => take });
  leases.set(id, lease);
  return lease;
}

function leaseOf(id: SessionId): Lease {
  const lease = leases.get(id);
  if (lease === undefined) throw new Error(`no lease of ${id} was ever got`);
  return lease;
}

const refusals = ["LEASE_LOST", "SESSION_BUSY", "SESSION_NOT_FOUND", "STORE_CONFLICT"];

/** `done`, or the code of the refusal; what is no refusal is for people to read. */
async function outcomeOf(doing: Promise<unknown>): Promise<string | number> {
  try {
    const result = await doing;
    return typeof result === "number" || typeof result === "string" ? result : "done";
  } catch (error) {
    const { code = "", stack = "unknown", cause } = error as Error & { code?: string };
    return refusals.includes(code) ? code : `${code} ${stack} ${cause instanceof Error ? cause.stack : ""}`;
  }
}

async function each(
  ids: readonly SessionId[],
  act: (id: SessionId, at: number) => Promise<unknown>,
): Promise<Outcomes> {
  const outcomes = ids.map(async (id, at) => [id, await outcomeOf(act(id, at))] as const);
  return Object.fromEntries(await Promise.all(outcomes));
}

/** Ends when it is refused; then nothing else that writes must be let through either. */
async function persist(id: SessionId): Promise<string> {
  const lease = leaseOf(id);
  const writing = async () => {
    for (;;) {
      await writer.turn(id, lease);
      await setImmediate();
    }
  };
  const refusals = [await outcomeOf(writing())];
  const head = (await store.get(id))?.headSeq ?? 0;
  const tooLate = [
    () => store.append(id, head, [anEntry("too late")], lease),
    () => store.seal(id, { from: head + 1, head }, [], lease),
    () => store.update(id, { title: "too late" }, lease),
    () => store.renew(lease),
  ];
  for (const write of tooLate) refusals.push(await outcomeOf(write()));
  await store.release(lease);
  return [...new Set(refusals)].join(" ");
}

async function contend(id: SessionId, random: Random, deletes: boolean): Promise<string> {
  let [written, lost] = [0, 0];
  for (let round = 0; round < rounds; round += 1) {
    const outcome = await outcomeOf(acquire(id, random.chance(0.5)).then((lease) => writer.turn(id, lease)));
    if (outcome === "SESSION_NOT_FOUND") return outcome;
    if (outcome === "LEASE_LOST") lost += 1;
    else if (outcome === "done") written += 1;
    else if (outcome !== "SESSION_BUSY") return `${outcome}`;
    if (outcome === "done" && random.chance(0.5)) await store.release(leaseOf(id));
    await setImmediate();
  }
  if (deletes) await writer.delete(id);
  // Whoever takes it last has written: in every session that stays, somebody has.
  return written > 0 || lost === 0 ? "done" : "LEASE_LOST";
}

/** Some stay as they are, some move to the front and into the other group, some are deleted. */
async function stir(seed: string): Promise<void> {
  const random = new Random(seed);
  const passing: SessionId[] = [];
  let kept = 0;
  for (let made = 0; isStirring; made += 1) {
    const [group, other] = made % 2 === 0 ? ["even", "odd"] : ["odd", "even"];
    const stays = kept < mostKept && made % 3 === 0;
    const moves = !stays && made % 3 === 1;
    const facts = { updatedAtMs: noon + random.int(0, 1000), metadata: { group } };
    const id = await writer.create(facts, !moves);
    if (stays) kept += 1;
    else passing.push(id);
    if (moves) await store.update(id, { updatedAtMs: noon + 1001 + made, metadata: { group: other } });
    const [oldest] = passing;
    if (passing.length > mostAlive - mostKept && oldest !== undefined) {
      passing.shift();
      await writer.delete(oldest);
    }
    await delay(1);
  }
}

async function carryOut(order: Order): Promise<Outcomes> {
  switch (order.do) {
    case "acquire":
      return each(order.ids, async (id) => (await acquire(id, order.take, order.ttlMs)).fence);
    case "write":
      return each(order.ids, (id) => writer.turn(id, leaseOf(id)));
    case "release":
      return each(order.ids, (id) => store.release(leaseOf(id)));
    case "persist":
      return each(order.ids, persist);
    case "contend": {
      const random = new Random(order.seed);
      return each(order.ids, (id, at) => contend(id, random.part(id), order.deletes && at % 5 === 4));
    }
    case "stir":
      isStirring = true;
      resting = stir(order.seed);
      return {};
    case "rest":
      isStirring = false;
      await resting;
      return {};
  }
}

createInterface({ input: process.stdin })
  .on("line", (line) => void carryOut(JSON.parse(line) as Order).then((outcomes) => say({ outcomes })))
  .on("close", () => void store.close().then(() => process.exit(0)));
say({ outcomes: {} });
