/** Prompts, loads, cancellations and closes of one session in any order and at once: each is answered, and what was said is kept. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SidecarError } from "../../../src/base/errors.ts";
import { toSessionId } from "../../../src/base/ids.ts";
import { waitAtMost } from "../../../src/base/time.ts";
import { collect } from "../../../src/session/pages.ts";
import type { LeaseState, Store } from "../../../src/store/contract.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { wrapStore } from "../../../src/store/shell.ts";
import { checked } from "../../session/chain-rig.ts";
import { initialized, rig } from "../rig.ts";

const acts = fc.array(
  fc.record({
    what: fc.constantFrom("session/prompt", "session/prompt", "session/close", "session/load", "cancel"),
    /** Turns of the loop before it is sent. */
    after: fc.nat(3),
    /** That the agent takes for it. */
    agentTurns: fc.nat(5),
  }),
  { minLength: 1, maxLength: 14 },
);
/** Turns of the loop that each write of the store takes, and each flush. */
const storeTurns = fc.record({ write: fc.nat(2), flush: fc.nat(4) });
/** Many times of what all of them take: what is not answered then never will be. */
const mostMs = 30_000;

type Acts = typeof acts extends fc.Arbitrary<infer A> ? A : never;
type Slow = typeof storeTurns extends fc.Arbitrary<infer A> ? A : never;

/** The second prompt comes while the session is being let go. */
const promptDuringClose = (["session/prompt", "session/close", "session/prompt"] as const).map((what) => {
  return { what, after: 0, agentTurns: 0 };
});

/** A few of them with every change, and many with the long tests. */
describe.each([
  { name: "a few", tags: [], numRuns: 40 },
  { name: "many", tags: ["long"], numRuns: 1000 },
])("$name requests of one session at once", ({ tags, numRuns }) => {
  it(
    "are answered; one write at a time is under way; an acknowledged turn has its end",
    {
      tags,
      timeout: 300_000,
    },
    async () => {
      await fc.assert(
        fc.asyncProperty(acts, storeTurns, (some, slow) => holds(some, slow)),
        { numRuns, examples: [[promptDuringClose, { write: 0, flush: 2 }]] },
      );
    },
  );
});

it("a prompt that goes with its session is not said behind it when the session is taken back at once", async () => {
  const elsewhere = { host: "elsewhere", pid: 1, startedAt: "x" };
  const ticks = [0, 1, 2];
  const cases = ticks.flatMap((taking) => ticks.map((behind) => ({ taking, behind })));
  for (const { taking, behind } of cases) {
    const inner = openMemoryStore();
    const store = slowly(inner, { write: 1, flush: 2 }, []);
    const relay = await rig({ store, relay: { commands: "on" } });
    const sessionId = await relay.newSession();
    const id = toSessionId(sessionId);
    await after(1);
    const said = relay.prompt(sessionId).catch((error: unknown) => error);
    await after(taking);
    // Refused where the turn has begun.
    const mayTake = ({ turnRunning }: LeaseState) => !turnRunning;
    const taken = await inner
      .acquire(id, { holder: elsewhere, ttlMs: 30_000, mayTake })
      .catch(() => undefined);
    await after(behind);
    await Promise.all([said, relay.load(sessionId)]);
    if (taken !== undefined) await inner.release(taken.lease);
    expect((await inner.get(id))?.lease).toMatchObject({ turnRunning: false });
    await relay.close();
    const kinds = (await collect(inner.read(id))).map(({ kind }) => kind);
    const of = (which: string) => kinds.filter((kind) => kind === which);
    expect(of("prompt").length).toBe(of("end").length);
  }
});

async function holds(some: Acts, slow: Slow): Promise<void> {
  const overlaps: string[] = [];
  const store = slowly(openMemoryStore(), slow, overlaps);
  const relay = await rig({
    store,
    script: {
      initialize: initialized({ close: {} }, { loadSession: true }),
      "session/prompt": async ({ sessionId, prompt }, agent) => {
        const n = Number((prompt as { text: string }[]).at(-1)?.text);
        await agent.say(String(sessionId), `s${n}`);
        await after(some[n]?.agentTurns ?? 0);
        return { stopReason: "end_turn", _meta: { n } };
      },
    },
  });
  const sessionId = await relay.newSession();
  const waiting = new Set<string>();
  const acknowledged: number[] = [];
  const ask = async (n: number, what: string, params: object) => {
    const name = `${n} ${what}`;
    waiting.add(name);
    const answer = await relay.client
      .request(what, { sessionId, ...params })
      .catch((error: unknown) => ({ error }));
    waiting.delete(name);
    const { stopReason } = answer as { stopReason?: string };
    if (stopReason === "end_turn") acknowledged.push(n);
  };
  const asked: Promise<void>[] = [];
  for (const [n, { what, after: turns }] of some.entries()) {
    await after(turns);
    if (what === "cancel") void relay.client.notify("session/cancel", { sessionId });
    else if (what === "session/prompt")
      asked.push(ask(n, what, { prompt: [{ type: "text", text: `${n}` }] }));
    else asked.push(ask(n, what, what === "session/load" ? { cwd: "/work", mcpServers: [] } : {}));
  }
  await waitAtMost(Promise.all(asked), mostMs);
  expect([...waiting], "never answered").toEqual([]);
  expect(overlaps).toEqual([]);
  await relay.close();
  relay.client.close(new SidecarError("AGENT_EXITED", "gone"));
  const entries = await collect(store.read(toSessionId(sessionId)));
  expect(checked(entries).damage).toBeUndefined();
  const ends = entries.flatMap(({ kind, data }) =>
    kind === "end" ? [(JSON.parse(data) as { result?: { _meta?: { n: number } } }).result?._meta?.n] : [],
  );
  for (const n of acknowledged) expect(ends.filter((end) => end === n)).toEqual([n]);
}

/** Takes its time, and notes writes of one session that come while another one is under way. */
function slowly(inner: Store, { write, flush }: Slow, overlaps: string[]): Store {
  const busy = new Map<string, string>();
  const writing = async <T>(id: string, what: string, act: () => Promise<T>): Promise<T> => {
    const other = busy.get(id);
    if (other !== undefined) overlaps.push(`${what} during ${other}`);
    busy.set(id, what);
    await after(write);
    try {
      return await act();
    } finally {
      busy.delete(id);
    }
  };
  return wrapStore(inner, {
    append: (id, ...rest) => writing(id, "append", () => inner.append(id, ...rest)),
    seal: (id, ...rest) => writing(id, "seal", () => inner.seal(id, ...rest)),
    release: (lease) => writing(lease.sessionId, "release", () => inner.release(lease)),
    flush: async () => {
      await after(flush);
      await inner.flush();
    },
  });
}

async function after(turns: number): Promise<void> {
  for (let left = turns; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
}
