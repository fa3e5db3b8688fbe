/**
 * Whatever is asked of one session at once, while others take it, change it and let it go, and its agent dies: each request
 * is answered, no turn stays without its end, and what was acknowledged or shown stands there once.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { metaKey } from "../../../src/acp/meta.ts";
import { SidecarError } from "../../../src/base/errors.ts";
import { toSessionId, type SessionId } from "../../../src/base/ids.ts";
import { waitAtMost } from "../../../src/base/time.ts";
import { verifyOne } from "../../../src/care/verify.ts";
import type { Journal } from "../../../src/session/journal.ts";
import { collect } from "../../../src/session/pages.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { Entry, Store } from "../../../src/store/contract.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { wrapStore } from "../../../src/store/shell.ts";
import { checked } from "../../session/chain-rig.ts";
import { initialized, rig, type Params, type Rig, type Script } from "../rig.ts";

/** Many times of what all of them take: what is not answered then never will be. */
const mostMs = 30_000;
const place = { cwd: "/work", mcpServers: [] };
const commands = [
  "help",
  "usage",
  "changes",
  "rename a name",
  "fork",
  "rewind",
  "rewind undo",
  "search zz",
  "x",
];
const formats = ["markdown", "html", "json", "jsonl", "bundle"];
const windows = [{ last: 1 }, { afterSeq: 2 }, "none"];

const said = (text: string) => ({ prompt: [{ type: "text", text }] });
const ours = (meta: object) => ({ _meta: { [metaKey]: meta } });

/** What the editor asks for: the method and its params. `n` is which of them it is, `k` a small number. */
const asks = {
  prompt: (n: number) => ["session/prompt", said(`${n}`)],
  "prompt that asks": (n: number) => ["session/prompt", said(`${n}`)],
  "prompt that kills": (n: number) => ["session/prompt", said(`${n}`)],
  edit: (n: number, k: number) => ["session/prompt", { ...said(`${n}`), ...ours({ edits: 1 + k }) }],
  command: (_: number, k: number) => ["session/prompt", said(`/sidecar ${commands[k]}`)],
  close: () => ["session/close", {}],
  load: () => ["session/load", place],
  "load a part": (_: number, k: number) => [
    "session/load",
    { ...place, ...ours({ replay: windows[k % 3] }) },
  ],
  move: () => ["session/load", { ...place, cwd: "/elsewhere", ...ours({ move: true }) }],
  resume: () => ["session/resume", place],
  fork: () => ["session/fork", place],
  archive: () => ["session/archive", {}],
  unarchive: () => ["session/unarchive", {}],
  title: (n: number) => ["session/set_title", { title: `t${n}` }],
  mode: () => ["session/set_mode", { modeId: "b" }],
  messages: (_: number, k: number) => ["_acp-sidecar/messages", { limit: 1 + k }],
  export: (_: number, k: number) => ["_acp-sidecar/export", { format: formats[k % 5] }],
  rewind: (_: number, k: number) => ["_acp-sidecar/rewind", { at: k }],
  "undo the rewind": () => ["_acp-sidecar/rewind", { undo: true }],
  list: () => ["session/list", {}],
  delete: (_: number, k: number) => (k === 0 ? ["session/delete", {}] : ["session/list", {}]),
} satisfies Record<string, (n: number, k: number) => [method: string, params: object]>;

interface Others {
  readonly registry: SessionRegistry;
  readonly id: SessionId;
  readonly open: Journal[];
}

const holder = { host: "elsewhere", pid: 1, startedAt: "x" };

/** What is done to it elsewhere. */
const deeds: Record<string, (others: Others, k: number, n: number) => Promise<unknown>> = {
  message: ({ registry, id }, _, n) => registry.addMessage(id, { role: "user", content: `<m.${n}>` }),
  "go back": ({ registry, id }, k) => registry.rewind(id, k),
  "put away": ({ registry, id }) => registry.archive(id),
  rename: ({ registry, id }, _, n) => registry.rename(id, `o${n}`),
  copy: ({ registry, id }) => registry.fork(id),
  compact: ({ registry, id }, k) => registry.compact(id, { beforeSeq: k }),
  end: ({ registry, id }) => registry.end(id),
  remove: ({ registry, id }, k) => (k === 0 ? registry.remove(id, { force: true }) : registry.get(id)),
  take: async ({ registry, id, open }) => open.push((await registry.open(id, { holder })).journal),
  "take by force": async ({ registry, id, open }) =>
    open.push((await registry.open(id, { holder, mayTake: () => true })).journal),
  "let go": ({ open }) => Promise.all(open.splice(0).map((journal) => journal.release())),
};

const signs = ["cancel", "withdraw", "agent dies"];

const acts = fc.array(
  fc.record({
    what: fc.constantFrom("prompt", "prompt", ...Object.keys(asks), ...Object.keys(deeds), ...signs),
    /** Turns of the loop before it is done. */
    after: fc.nat(4),
    /** That the agent takes for it. */
    agentTurns: fc.nat(5),
    k: fc.nat(commands.length - 1),
  }),
  { minLength: 1, maxLength: 16 },
);
/** Turns of the loop that what the store does takes. */
const storeTurns = fc.record({ write: fc.nat(2), flush: fc.nat(4), read: fc.nat(2) });
const agents = fc.constantFrom(
  {},
  { close: {}, resume: {} },
  { resume: {}, fork: {}, delete: {}, close: {} },
);

type Acts = typeof acts extends fc.Arbitrary<infer A> ? A : never;
type Slow = typeof storeTurns extends fc.Arbitrary<infer A> ? A : never;

/** The same each time, as the harnesses of `.ci/run` have theirs; a longer run takes seeds of its own. */
const seed = Number(process.env["ANYTHING_SEED"] ?? 20261127);
const numRuns = Number(process.env["ANYTHING_RUNS"] ?? 1500);

it("whatever is asked of a session at once", { tags: ["long"], timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(acts, storeTurns, agents, (some, slow, can) => holds(some, slow, can)),
    { numRuns, seed },
  );
});

async function holds(some: Acts, slow: Slow, can: object): Promise<void> {
  const inner = openMemoryStore();
  const relay = await rig({
    store: slowly(inner, slow),
    relay: { commands: "on", cancelGraceMs: 30 },
    script: scriptOf(some, slow, can),
  });
  const id = toSessionId(await relay.newSession());
  const others: Others = { registry: new SessionRegistry({ store: inner }), id, open: [] };
  const acknowledged = await allDone(some, relay, others);
  await deeds["let go"]?.(others, 0, 0).catch(() => undefined);
  await relay.close();
  relay.client.close(new SidecarError("AGENT_EXITED", "gone"));
  await others.registry.trash.restore(id).catch(() => undefined);
  if ((await inner.get(id)) === undefined) return;
  // What nobody has ended is ended by whoever opens it next.
  const last = await others.registry.open(id, { holder, mayTake: () => true }).catch(() => undefined);
  await last?.journal.release();
  if (last !== undefined) await isWhole(await collect(inner.read(id)), acknowledged, relay);
  expect((await verifyOne(inner, id)).damages).toEqual([]);
}

/** Which prompts were answered by the agent. Each is answered, and none with what is nobody's fault but ours. */
async function allDone(some: Acts, relay: Rig, others: Others): Promise<number[]> {
  const sessionId = others.id;
  const [waiting, acknowledged, wrong] = [new Set<string>(), [] as number[], [] as string[]];
  const withdrawing: AbortController[] = [];
  const doing = async (n: number, what: string, act: () => Promise<unknown>) => {
    waiting.add(`${n} ${what}`);
    const answer = await act().catch((error: unknown) => {
      const { code, data, message } = error as { code?: unknown; data?: { code?: string }; message: string };
      const named = String(data?.code ?? code);
      // A place that there is not yet, or that a fork holds, is refused so.
      if (/final up to|has forks/.test(message)) return;
      if (/INTERNAL|STORE_|undefined|-32603/.test(named)) wrong.push(`${n} ${what}: ${named} ${message}`);
    });
    waiting.delete(`${n} ${what}`);
    const { _meta: meta } = (answer ?? {}) as { _meta?: { n?: number } };
    if (meta?.n === n) acknowledged.push(n);
  };
  const done: Promise<void>[] = [];
  for (const [n, { what, after: turns, k }] of some.entries()) {
    await after(turns);
    if (what === "cancel") void relay.client.notify("session/cancel", { sessionId });
    else if (what === "withdraw") withdrawing.at(-1)?.abort();
    else if (what === "agent dies") relay.agents.at(-1)?.die();
    else if (what in deeds) done.push(doing(n, what, () => deeds[what]!(others, k, n)));
    else {
      const [method, params] = asks[what as keyof typeof asks](n, k);
      const { signal } = (withdrawing[withdrawing.length] = new AbortController());
      done.push(doing(n, what, () => relay.client.request(method, { sessionId, ...params }, { signal })));
    }
  }
  await waitAtMost(Promise.all(done), mostMs);
  expect([...waiting], "never answered").toEqual([]);
  expect(wrong).toEqual([]);
  return acknowledged;
}

async function isWhole(
  entries: readonly Entry[],
  acknowledged: readonly number[],
  relay: Rig,
): Promise<void> {
  expect(checked(entries).damage).toBeUndefined();
  let running = 0;
  const ended: unknown[] = [];
  for (const { kind, data } of entries) {
    if (kind === "prompt") running += 1;
    if (kind !== "end") continue;
    const { result, interrupted } = JSON.parse(data) as { result?: { _meta?: Params }; interrupted?: true };
    ended.push(result?._meta?.["n"]);
    running = interrupted === true ? 0 : running - 1;
    expect(running, "ends without a turn").toBeGreaterThanOrEqual(0);
  }
  expect(running, "turns without an end").toBe(0);
  for (const n of acknowledged)
    expect(
      ended.filter((each) => each === n),
      `ends of ${n}`,
    ).toEqual([n]);
  const journal = entries.map(({ data }) => data).join("");
  for (const piece of new Set(relay.shown().match(/<[\d.]+>/g)))
    expect(journal.split(piece).length - 1, `shown: ${piece}`).toBe(1);
}

function scriptOf(some: Acts, slow: Slow, can: object): Script {
  return {
    initialize: initialized(can, { loadSession: true }),
    "session/load": () => after(slow.write).then(() => ({})),
    "session/prompt": async ({ sessionId, prompt }, agent) => {
      const n = Number((prompt as { text: string }[]).at(-1)?.text);
      const { what, agentTurns = 0 } = some[n] ?? {};
      for (let part = 0; part < 3; part += 1) {
        await agent.say(String(sessionId), `<${n}.${part}>`);
        if (part === 1 && what === "prompt that kills") return agent.die();
        if (part === 1 && what === "prompt that asks") {
          const toolCall = { toolCallId: `t${n}`, title: "x" };
          const question = {
            sessionId,
            toolCall,
            options: [{ optionId: "y", name: "Y", kind: "allow_once" }],
          };
          await agent.connection.request("session/request_permission", question).catch(() => undefined);
        }
        await after(agentTurns);
      }
      return { stopReason: "end_turn", _meta: { n } };
    },
  };
}

/** Takes its time; what is written to a session takes effect in the order of the calls all the same. */
function slowly(inner: Store, { write, flush, read }: Slow): Store {
  return wrapStore(inner, {
    append: (...given) => after(write).then(() => inner.append(...given)),
    seal: (...given) => after(write).then(() => inner.seal(...given)),
    release: (...given) => after(write).then(() => inner.release(...given)),
    get: (...given) => after(read).then(() => inner.get(...given)),
    acquire: (...given) => after(read).then(() => inner.acquire(...given)),
    flush: () => after(flush).then(() => inner.flush()),
  });
}

async function after(turns: number): Promise<void> {
  for (let left = turns; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
}
