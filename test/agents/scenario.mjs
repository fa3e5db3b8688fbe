/** One scenario, through an agent by itself or through the sidecar: what of a conversation works, feature by feature. */
import { said } from "./client.mjs";

export const features = [
  ["prompt", "answers a prompt"],
  ["tool", "runs a tool"],
  ["permission", "asks for permission"],
  ["remembers", "remembers within a session"],
  ["load", "loads after SIGKILL in a turn"],
  ["loadShows", "… and shows prompts, answers, the tool"],
  ["loadKnows", "… and the agent knows them"],
  ["loadAgain", "loads again, the same once more"],
  ["resume", "resumes after a restart, and knows"],
  ["fork", "forks, and the fork knows"],
  ["forkShows", "… and shows the history once"],
  ["cancel", "cancels a turn"],
  ["settings", "keeps a chosen mode or option"],
  ["list", "lists the session"],
  ["close", "closes, and opens again"],
  ["delete", "deletes, and lists it no more"],
];

/** @param start makes a client of a new process; returns what each feature came to: true, false, or an error's text */
export async function play(start, cwd) {
  const found = {};
  const wires = [];
  const note = async (feature, check) => {
    try {
      found[feature] = await check();
    } catch (error) {
      found[feature] = String(error.message).slice(0, 120);
    }
  };
  let client = await started(start, wires);
  const { sessionId } = await client.request("session/new", { cwd, mcpServers: [] });
  const setup = { sessionId, cwd, mcpServers: [] };
  await note("prompt", async () => (await client.prompt(sessionId, "mark-1 hello")).agent.includes("mark-1"));
  await note("tool", async () => {
    const turn = await client.prompt(sessionId, "run: touch made-here && echo mark-2");
    found.permission = turn.asked;
    return turn.tools.some(({ status }) => status === "completed");
  });
  const knows = async (id, ...marks) => {
    const { agent } = await client.prompt(id, "which marks?");
    return marks.every((mark) => agent.includes(mark));
  };
  await note("remembers", () => knows(sessionId, "mark-1", "mark-2"));
  await killInTurn(client, sessionId);

  client = await started(start, wires);
  await note("load", async () => {
    await client.request("session/load", setup);
    return true;
  });
  if (found.load === true) {
    await note("loadShows", async () => showsHistory(said(client.updates(sessionId))));
    await note("loadKnows", () => knows(sessionId, "mark-1", "mark-2"));
    await note("settings", () =>
      keepsSetting(client, setup, async () => (client = await again(client, start, wires))),
    );
    client = await again(client, start, wires);
    await note("loadAgain", async () => {
      const from = client.wire.length;
      await client.request("session/load", setup);
      await client.prompt(sessionId, "mark-3");
      const { user } = said(client.updates(sessionId, from));
      return user.split("mark-1 hello").length === 2;
    });
  }
  client = await again(client, start, wires);
  await note("resume", async () => {
    await client.request("session/resume", setup);
    return knows(sessionId, "mark-1", "mark-2");
  });
  await note("fork", async () => {
    const fork = await client.request("session/fork", setup);
    found.forkId = fork.sessionId;
    return knows(fork.sessionId, "mark-1", "mark-2");
  });
  await note("cancel", () => cancels(client, sessionId));
  if (found.fork === true) {
    client = await again(client, start, wires);
    await note("forkShows", async () => {
      const from = client.wire.length;
      await client.request("session/load", { ...setup, sessionId: found.forkId });
      const { user } = said(client.updates(found.forkId, from));
      return user.split("mark-1 hello").length === 2;
    });
  }
  const listed = async () =>
    (await client.request("session/list", { cwd })).sessions.some((each) => each.sessionId === sessionId);
  await note("list", listed);
  await note("close", async () => {
    await client.request("session/close", { sessionId });
    await client.request("session/load", setup);
    return knows(sessionId, "mark-1");
  });
  await note("delete", async () => {
    await client.request("session/delete", { sessionId });
    return !(await listed());
  });
  await client.kill();
  return { found, wires };
}

async function started(start, wires) {
  const client = start();
  wires.push(client.wire);
  await client.initialize();
  return client;
}

async function again(client, start, wires) {
  await client.kill();
  return started(start, wires);
}

/** In the middle of a long answer. */
async function killInTurn(client, sessionId) {
  await new Promise((resolve) => {
    const prompted = client.prompt(sessionId, "mark-4 slow", ({ sessionUpdate }) => {
      if (sessionUpdate === "agent_message_chunk") resolve();
    });
    void prompted.then(resolve);
  });
  await client.kill();
}

function showsHistory({ user, agent, tools }) {
  return (
    user.includes("mark-1 hello") &&
    agent.includes("mark-1") &&
    tools.some(({ status }) => status === "completed")
  );
}

async function cancels(client, sessionId) {
  let sent = false;
  const { stopReason } = await client.prompt(sessionId, "slow", ({ sessionUpdate }) => {
    if (sent || sessionUpdate !== "agent_message_chunk") return;
    sent = true;
    client.notify("session/cancel", { sessionId });
  });
  return stopReason === "cancelled";
}

/** The first mode or option that offers another value. Undefined where the agent offers none. */
async function keepsSetting(client, setup, restart) {
  const answer = client.wire.findLast(
    ({ from, message }) =>
      from === "agent" && (message.result?.modes ?? message.result?.configOptions) !== undefined,
  );
  const { modes, configOptions = [] } = answer?.message.result ?? {};
  const option = configOptions.find(({ id, options = [] }) => id === "mode" && options.length > 1);
  const other = (values, now) => values.find((value) => value !== now && !/bypass|yolo|full/i.test(value));
  if (option !== undefined) {
    const value = other(
      option.options.map((each) => each.value),
      option.currentValue,
    );
    await client.request("session/set_config_option", {
      sessionId: setup.sessionId,
      configId: option.id,
      value,
    });
    const { configOptions: now } = await (await restart()).request("session/load", setup);
    return now?.find(({ id }) => id === option.id)?.currentValue === value;
  }
  if (modes === undefined || modes.availableModes.length < 2) return undefined;
  const modeId = other(
    modes.availableModes.map(({ id }) => id),
    modes.currentModeId,
  );
  await client.request("session/set_mode", { sessionId: setup.sessionId, modeId });
  const { modes: now } = await (await restart()).request("session/load", setup);
  return now?.currentModeId === modeId;
}
