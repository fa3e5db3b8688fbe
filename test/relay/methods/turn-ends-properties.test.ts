/** Whatever the store fails at and when: each prompt is answered once, counted once, and kept before it is acknowledged. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { SidecarError } from "../../../src/base/errors.ts";
import { toSessionId } from "../../../src/base/ids.ts";
import type { Counting } from "../../../src/base/meter.ts";
import { collect } from "../../../src/session/pages.ts";
import type { Store } from "../../../src/store/contract.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { wrapStore } from "../../../src/store/shell.ts";
import { flaky } from "../../session/flaky-store.ts";
import { rig } from "../rig.ts";

const faults = ["flush", "seal", "append", "update", "get"] as const;
const acts = fc.array(
  fc.record({
    fault: fc.option(
      fc.record({ method: fc.constantFrom(...faults), when: fc.constantFrom("before", "after") }),
    ),
    /** Its prompt comes before the one before it is answered. */
    isOverlapping: fc.boolean(),
    /** Turns of the loop that the agent takes. */
    agentTurns: fc.nat(6),
    says: fc.nat(2),
  }),
  { minLength: 1, maxLength: 8 },
);
/** After so many turns of the loop the client goes, if it does. */
const goings = fc.option(fc.nat(60));

it("every turn ends once, is counted once, and is kept before it is acknowledged", async () => {
  await fc.assert(
    fc.asyncProperty(acts, goings, (some, goesAfter) => holds(some, goesAfter)),
    { numRuns: 120 },
  );
});

type Acts = typeof acts extends fc.Arbitrary<infer A> ? A : never;

async function holds(some: Acts, goesAfter: number | null): Promise<void> {
  const kept = keeping(openMemoryStore());
  const { store, fail } = flaky(kept.store);
  const [counted, meter] = counting();
  const relay = await rig({
    store,
    meter,
    script: {
      "session/prompt": async ({ sessionId, prompt }, agent) => {
        const n = Number((prompt as { text: string }[]).at(-1)?.text);
        const { agentTurns = 0, says = 0 } = some[n] ?? {};
        for (let said = 0; said < says; said += 1) await agent.say(String(sessionId), `s${n}`);
        await after(agentTurns);
        return { stopReason: "end_turn", _meta: { n } };
      },
    },
  });
  const sessionId = await relay.newSession();
  const id = toSessionId(sessionId);
  const outcomes: string[] = [];
  const keptAt = new Map<number, number>();
  const asked: Promise<void>[] = [];
  const going = goesAfter === null ? undefined : after(goesAfter).then(() => relay.close());
  for (const [n, { fault, isOverlapping }] of some.entries()) {
    if (fault !== null) fail(fault.method, fault.when);
    const one = relay.prompt(sessionId, String(n)).then(
      (result) => {
        const { stopReason } = result as { readonly stopReason: string };
        // One that was cancelled says nothing of which it is.
        if (stopReason === "end_turn") keptAt.set(n, kept.through(id));
        outcomes[n] = "ok";
      },
      () => void (outcomes[n] = "failed"),
    );
    asked.push(one);
    if (!isOverlapping && goesAfter === null) await one;
  }
  if (goesAfter === null) await Promise.all(asked);
  // The store is well again.
  let isWell = goesAfter !== null;
  for (let tries = 0; !isWell && tries < 12; tries += 1)
    isWell = await relay.prompt(sessionId, "99").then(
      () => true,
      () => false,
    );
  const all = counted();
  await going;
  await relay.close();
  relay.client.close(new SidecarError("AGENT_EXITED", "gone"));
  await Promise.all(asked);
  const entries = await collect(kept.store.read(id));
  const ends = entries.filter(({ kind }) => kind === "end");
  const prompts = entries.filter(({ kind }) => kind === "prompt");
  // A prompt that was written and refused all the same has no turn.
  const hasLost = some.some(({ fault }) => fault?.method === "append" && fault.when === "after");
  if (goesAfter === null && !hasLost) expect([isWell, ends.length]).toEqual([true, prompts.length]);
  if (goesAfter === null) expect(all).toBeGreaterThan(some.length);
  else expect(counted()).toBeLessThanOrEqual(some.length);
  expect(counted()).toBeGreaterThanOrEqual(outcomes.filter((each) => each === "ok").length);
  expect(ends.length, "ends").toBeLessThanOrEqual(prompts.length);
  for (const n of some.keys()) {
    const own = ends.filter(
      ({ data }) => (JSON.parse(data) as { result?: { _meta?: { n: number } } }).result?._meta?.n === n,
    );
    expect(own.length).toBeLessThanOrEqual(1);
    const through = keptAt.get(n);
    if (through === undefined) continue;
    expect(own, `end of ${n}`).toHaveLength(1);
    expect(own[0]?.seq).toBeLessThanOrEqual(through);
  }
}

/** A store that says how far it has flushed a session. */
function keeping(inner: Store) {
  const written = new Map<string, number>();
  const kept = new Map<string, number>();
  const noting = async (id: string, head: Promise<number>) => {
    const seq = await head;
    written.set(id, seq);
    return seq;
  };
  const store = wrapStore(inner, {
    append: (id, ...rest) => noting(id, inner.append(id, ...rest)),
    seal: (id, ...rest) => noting(id, inner.seal(id, ...rest)),
    flush: async () => {
      const now = [...written];
      await after(2);
      await inner.flush();
      for (const [id, seq] of now) kept.set(id, seq);
    },
  });
  return { store, through: (id: string) => kept.get(id) ?? 0 };
}

function counting(): [() => number, Counting] {
  let turns = 0;
  const add: Counting["add"] = (what) => void (turns += what === "turns" ? 1 : 0);
  return [() => turns, { add, time: () => undefined }];
}

async function after(turns: number): Promise<void> {
  for (let left = turns; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
}
