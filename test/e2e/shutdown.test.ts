/** Every way to the end, from every state: in time, with status 0, and with no process left. */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { SidecarOptions } from "./harness/harness.ts";
import { exitWithin, useHarness } from "./harness/harness.ts";
import { isAlive, processesOutliving } from "./harness/processes.ts";
import type { Program } from "./harness/program.ts";
import { initializeParams, RawClient } from "./harness/raw-client.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();
const limitMs = 5000;

interface State {
  readonly options?: SidecarOptions;
  /** Brings a started sidecar into the state. */
  readonly enter: (client: RawClient) => Promise<void>;
}

async function startPrompt(client: RawClient, text: string, until: string): Promise<string> {
  await client.initialize();
  const sessionId = await client.newSession(cwd);
  const prompt = [{ type: "text", text }];
  client.send({ jsonrpc: "2.0", id: "turn", method: "session/prompt", params: { sessionId, prompt } });
  await client.program.out.waitFor(until, ({ method }) => method === until);
  return sessionId;
}

async function untilAgentGot(program: Program, method: string): Promise<void> {
  while (!program.agents().some(({ messages }) => messages.some((message) => message.method === method))) {
    await delay(10);
  }
}

const states: Record<string, State> = {
  "not yet asked anything": {
    enter: async ({ program }) => {
      while (program.agents().length === 0) await delay(10);
    },
  },
  idle: {
    enter: async (client) => {
      await client.initialize();
      await client.newSession(cwd);
    },
  },
  "starting an agent that never answers": {
    options: { agent: ["mute.mjs"] },
    enter: async (client) => {
      client.send({ jsonrpc: "2.0", id: 1, method: "initialize", params: initializeParams });
      await untilAgentGot(client.program, "initialize");
    },
  },
  streaming: {
    enter: async (client) => {
      await startPrompt(client, "cancel-deaf 60000", "session/update");
    },
  },
  "waiting for permission": {
    enter: async (client) => {
      await startPrompt(client, "permission", "session/request_permission");
    },
  },
  attaching: {
    options: {
      agent: ["agent.mjs", "--load", "--state", harness.path("state"), "--delay", "session/load:60000"],
      store: harness.storeUrl(),
    },
    enter: async (client) => {
      await client.initialize();
      const sessionId = await client.newSession(cwd);
      await client.request("session/close", { sessionId });
      const params = { sessionId, cwd, mcpServers: [] };
      client.send({ jsonrpc: "2.0", id: 1, method: "session/load", params });
      await untilAgentGot(client.program, "session/load");
    },
  },
};

const ways: Record<string, (program: Program) => void> = {
  "its stdin is closed": (program: Program) => program.endInput(),
  "it gets SIGTERM": (program: Program) => program.kill("SIGTERM"),
  "it gets SIGINT": (program: Program) => program.kill("SIGINT"),
};

async function expectEnd(program: Program): Promise<void> {
  expect(await exitWithin(program, limitMs)).toEqual({ status: 0, signal: null });
  expect(await processesOutliving(program.mark, 500)).toEqual([]);
}

// Most of the time is spent in waiting for limits: together they wait once.
describe.concurrent.each(Object.entries(states))("a sidecar that is %s", (_name, { options, enter }) => {
  it.each(Object.entries(ways))(
    "ends when %s [REQ shutdown-eof, shutdown-signals, shutdown-any-state, shutdown-group]",
    async (_way, end) => {
      const client = new RawClient(harness.sidecar(options));
      await enter(client);
      end(client.program);
      await expectEnd(client.program);
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
  it.each(["agent.mjs", "stubborn.mjs"])(
    "leaves no process behind, with %s [REQ shutdown-client-gone]",
    async (file) => {
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

describe.concurrent("a turn that is ended by a shutdown", () => {
  it.each(Object.entries(ways))(
    "keeps what it had said when %s [REQ shutdown-turn-kept]",
    async (_way, end) => {
      const store = harness.storeUrl();
      const client = new RawClient(harness.sidecar({ store }));
      const sessionId = await startPrompt(client, "stream 50\ntool\ncancel-deaf 60000", "session/update");
      await client.program.out.waitFor("tool", ({ params }) =>
        JSON.stringify(params ?? {}).includes("completed"),
      );
      end(client.program);
      await expectEnd(client.program);
      const seen = textOf(client.program.out.updates(sessionId));
      const next = await harness.connect({ store });
      const replayed = await next.replay(sessionId, cwd);
      expect(textOf(replayed).startsWith(seen)).toBe(true);
      expect(replayed.filter(({ sessionUpdate }) => sessionUpdate === "tool_call")).toMatchObject([
        { status: "completed" },
      ]);
    },
  );
});
