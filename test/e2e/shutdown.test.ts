/** Every way to the end, from every state: in time, with status 0, and with no process left. */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { toSessionId } from "../../src/base/ids.ts";
import { collect } from "../../src/session/pages.ts";
import { openStore } from "../../src/store/open.ts";
import type { SidecarOptions } from "./harness/harness.ts";
import { exitWithin, useHarness } from "./harness/harness.ts";
import { isAlive, processesOutliving } from "./harness/processes.ts";
import type { Program } from "./harness/program.ts";
import { fixtureCommand } from "./harness/paths.ts";
import { initializeParams, RawClient } from "./harness/raw-client.ts";
import { isResponseTo, textOf } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();
const limitMs = 5000;

interface State {
  readonly options?: () => SidecarOptions;
  /** Brings a started sidecar into the state. Returns the session that is in it, if there is one. */
  readonly enter: (client: RawClient) => Promise<string | undefined>;
}

async function startPrompt(client: RawClient, text: string, until: string): Promise<string> {
  await client.initialize();
  const sessionId = await client.newSession(cwd);
  sendPrompt(client, sessionId, text);
  await client.program.out.waitFor(until, ({ method }) => method === until);
  return sessionId;
}

function sendPrompt(client: RawClient, sessionId: string, text: string): void {
  const prompt = [{ type: "text", text }];
  client.send({ jsonrpc: "2.0", id: "turn", method: "session/prompt", params: { sessionId, prompt } });
}

/** A session with a history, closed and then being loaded. */
async function startLoad(client: RawClient, ...prompts: readonly string[]): Promise<string> {
  await client.initialize();
  const sessionId = await client.newSession(cwd);
  for (const text of prompts) await client.prompt(sessionId, text);
  await client.request("session/close", { sessionId });
  const params = { sessionId, cwd, mcpServers: [] };
  client.send({ jsonrpc: "2.0", id: "turn", method: "session/load", params });
  return sessionId;
}

async function untilAgentGot(program: Program, method: string): Promise<void> {
  while (!program.agents().some(({ messages }) => messages.some((message) => message.method === method))) {
    await delay(10);
  }
}

/** An agent that can be started once; every later start fails. */
function startsOnce(): SidecarOptions {
  const [file = "", ...args] = fixtureCommand(["agent.mjs"]);
  const script = '[ -e "$0" ] && exit 7; : > "$0"; exec "$@"';
  const agentCommand = ["sh", "-c", script, harness.path("started"), file, ...args];
  return { agentCommand, args: ["--agent-backoff", "60s"] };
}

const slowToLoad = (): SidecarOptions => ({
  agent: ["agent.mjs", "--load", "--state", harness.path("state"), "--delay", "session/load:60000"],
});

const states: Record<string, State> = {
  "not yet asked anything": {
    enter: async ({ program }) => {
      while (program.agents().length === 0) await delay(10);
      return undefined;
    },
  },
  idle: {
    enter: async (client) => {
      await client.initialize();
      const sessionId = await client.newSession(cwd);
      await client.prompt(sessionId, "hello");
      return sessionId;
    },
  },
  "starting an agent that never answers": {
    options: () => ({ agent: ["mute.mjs"] }),
    enter: async (client) => {
      client.send({ jsonrpc: "2.0", id: 1, method: "initialize", params: initializeParams });
      await untilAgentGot(client.program, "initialize");
      return undefined;
    },
  },
  streaming: {
    enter: (client) => startPrompt(client, "stream 20\ncancel-deaf 60000", "session/update"),
  },
  "waiting for permission": {
    enter: (client) => startPrompt(client, "stream 20\npermission", "session/request_permission"),
  },
  loading: {
    enter: async (client) => {
      const sessionId = await startLoad(client, ...Array.from({ length: 5 }, () => "big 300000"));
      const from = client.program.out.length;
      await client.program.out.waitFor("replay", ({ method }) => method === "session/update", { from });
      return sessionId;
    },
  },
  attaching: {
    options: slowToLoad,
    enter: async (client) => {
      const sessionId = await startLoad(client, "hello");
      await untilAgentGot(client.program, "session/load");
      return sessionId;
    },
  },
  "starting its agent again": {
    options: startsOnce,
    enter: async (client) => {
      await client.initialize();
      const sessionId = await client.newSession(cwd);
      const prompt = (text: string) => [{ type: "text", text }];
      // Dead, then not started again: the next try is a minute away.
      await client.ask("session/prompt", { sessionId, prompt: prompt("stream 20\ncrash 1") });
      await client.ask("session/prompt", { sessionId, prompt: prompt("anybody there?") });
      sendPrompt(client, sessionId, "patience");
      await client.request("session/list", {});
      return sessionId;
    },
  },
};

const ways: Record<string, (program: Program) => void> = {
  "its stdin is closed": (program: Program) => program.endInput(),
  "it gets SIGTERM": (program: Program) => program.kill("SIGTERM"),
};

/** One handler takes all signals: where it does the most, the others are tried too. */
const otherSignals: typeof ways = {
  "it gets SIGINT": (program: Program) => program.kill("SIGINT"),
  "it gets SIGHUP": (program: Program) => program.kill("SIGHUP"),
};

async function expectEnd(program: Program): Promise<void> {
  expect(await exitWithin(program, limitMs)).toEqual({ status: 0, signal: null });
  expect(await processesOutliving(program.mark, 500)).toEqual([]);
}

/** All of the agent's text that the client was sent, a replay of it included, is in the store; nobody holds it. */
async function expectKept(client: RawClient, store: string, sessionId: string): Promise<void> {
  const opened = await openStore(store);
  try {
    expect((await opened.get(toSessionId(sessionId)))?.lease).toBeUndefined();
    const entries = await collect(opened.read(toSessionId(sessionId)));
    const stored = entries.map(({ data }) => data).join("\n");
    const seen = client.program.out.updates(sessionId).filter(({ content }) => content !== undefined);
    for (const { content } of seen) expect(stored).toContain((content as { text: string }).text);
  } finally {
    await opened.close();
  }
}

/** States in which less goes on than in others. */
const quiet = new Set(["not yet asked anything", "idle", "waiting for permission"]);

// Most of the time is spent in waiting for limits: together they wait once.
describe.concurrent.each(Object.entries(states))("a sidecar that is %s", (name, { options, enter }) => {
  const isBusiest = name === "streaming";
  for (const [way, end] of Object.entries(isBusiest ? { ...ways, ...otherSignals } : ways)) {
    // Every state with one way, every way in one state; what is more is long.
    const isFirst = isBusiest ? way in ways : way === "its stdin is closed" && !quiet.has(name);
    it(
      `ends when ${way} [REQ shutdown-eof, shutdown-signals, shutdown-any-state, shutdown-group, shutdown-turn-kept]`,
      { tags: isFirst ? [] : ["long"] },
      async () => {
        const store = harness.storeUrl();
        const client = new RawClient(harness.sidecar({ store, ...options?.() }));
        const sessionId = await enter(client);
        end(client.program);
        await expectEnd(client.program);
        if (sessionId !== undefined) await expectKept(client, store, sessionId);
      },
    );
  }

  // In these two states there is no session yet that could be closed.
  it.skipIf(/not yet|never/.test(name))(
    "closes the session in time, and lives [REQ shutdown-any-state]",
    { tags: isBusiest ? [] : ["long"] },
    async () => {
      const store = harness.storeUrl();
      const args = [...(options?.().args ?? []), "--cancel-grace", "300ms"];
      const client = new RawClient(harness.sidecar({ store, ...options?.(), args }));
      const sessionId = (await enter(client)) ?? "";
      const askedAtMs = performance.now();
      expect(await client.ask("session/close", { sessionId })).toMatchObject({ result: {} });
      if (name !== "idle") await client.program.out.waitFor("the answer", isResponseTo("turn"));
      expect(performance.now() - askedAtMs).toBeLessThan(limitMs);
      await expectKept(client, store, sessionId);
      expect(await client.ask("session/list", {})).toHaveProperty("result");
    },
  );
});

describe.concurrent("the agent's end", () => {
  it("begins with the end of its stdin [REQ shutdown-agent-stdin]", async () => {
    const client = await harness.connectRaw();
    client.program.kill("SIGTERM");
    await expectEnd(client.program);
    expect(client.program.agents()[0]?.sawEnd).toBe(true);
  });

  it("is forced on an agent that ignores EOF and SIGTERM [REQ shutdown-stubborn]", async () => {
    const client = await harness.connectRaw({ agent: ["stubborn.mjs"] });
    await client.newSession(cwd);
    client.program.endInput();
    await expectEnd(client.program);
  });

  it("takes along what the agent has started [REQ shutdown-group]", async () => {
    const client = await harness.connectRaw({ agent: ["grandparent.mjs"] });
    const sessionId = await client.newSession(cwd);
    await client.prompt(sessionId, "who");
    const grandchild = Number(textOf(client.program.out.updates(sessionId)));
    expect(isAlive(grandchild)).toBe(true);
    client.program.endInput();
    await expectEnd(client.program);
    expect(isAlive(grandchild)).toBe(false);
  });
});

describe.concurrent("what a dead agent has left behind", () => {
  it("is stopped at the end, at the latest [REQ shutdown-group]", async () => {
    const client = await harness.connectRaw({ agent: ["grandparent.mjs"] });
    const sessionId = await client.newSession(cwd);
    await client.prompt(sessionId, "who");
    process.kill(client.program.agents()[0]?.pid ?? 0, "SIGKILL");
    await client.ask("session/prompt", { sessionId, prompt: [{ type: "text", text: "who" }] });
    client.program.endInput();
    await expectEnd(client.program);
  });
});

describe.concurrent("a client that vanishes", () => {
  for (const file of ["agent.mjs", "stubborn.mjs"])
    it(
      `leaves no process behind, with ${file} [REQ shutdown-client-gone]`,
      { tags: file === "agent.mjs" ? [] : ["long"] },
      async () => {
        const client = await harness.connectRaw({ agent: [file] });
        await client.newSession(cwd);
        const { child, mark } = client.program;
        for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
        expect(await processesOutliving(mark, limitMs)).toEqual([]);
        await client.program.exited;
      },
    );

  it("in a streamed turn loses nothing that was streamed [REQ shutdown-client-gone, shutdown-turn-kept]", async () => {
    const store = harness.storeUrl();
    const client = new RawClient(harness.sidecar({ store }));
    const sessionId = await startPrompt(client, "cancel-deaf 60000", "session/update");
    const seen = textOf(client.program.out.updates(sessionId));
    const { child, mark } = client.program;
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
    expect(await processesOutliving(mark, limitMs)).toEqual([]);
    await client.program.exited;
    const next = await harness.connect({ store });
    expect(textOf(await next.replay(sessionId, cwd))).toContain(seen);
  });
});
