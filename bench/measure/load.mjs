/** `session/load` of a session that an earlier run stored: entries per second, and how soon the first update comes. */
import assert from "node:assert/strict";
import { BenchClient } from "../client.mjs";
import { sidecar } from "../contenders.mjs";
import { Samples } from "../stats.mjs";
import { entry, libraryOf, openStoreOf, storeSession } from "../store.mjs";
import { outputOf } from "../updates.mjs";

const entries = 100_000;

export async function load({ folder, quick, options }) {
  const samples = new Samples();
  const builds = [sidecar(folder, options.binary)];
  if (options.against !== undefined) builds.push(sidecar(folder, options.against, "other"));
  for (const build of builds) build.stored = await prepare(build, folder);
  for (let round = 0; round < (quick ? 3 : 11); round++) {
    for (const build of builds) await loadOnce(build, folder, samples);
  }
  return rows(builds, samples);
}

export async function prepare(build, cwd) {
  const store = await openStoreOf(build);
  const stored = await storeSession(store, await libraryOf(build.library), { cwd, entries, turnOf });
  await store.close();
  return stored;
}

export async function loadOnce({ stored, ...contender }, cwd, samples) {
  const client = new BenchClient(contender);
  await client.ask("initialize", { protocolVersion: 1, clientCapabilities: {} });
  const exchange = await client.ask("session/load", { sessionId: stored.id, cwd, mcpServers: [] });
  await client.close();
  const messages = exchange.messages();
  assert.equal(messages.length, stored.updates);
  assert.ok(messages.every(({ params }) => params.sessionId === stored.id));
  samples.add(contender.name, entries / ((exchange.endedAtMs - exchange.sentAtMs) / 1000));
  samples.add(`${contender.name} first`, exchange.firstAtMs - exchange.sentAtMs);
}

/** A prompt, three rounds of thought, answer and tool call, and the end. */
function turnOf(turn) {
  const all = [entry("prompt", { prompt: [{ type: "text", text: `Please change file${turn}.ts` }] })];
  for (let i = 0; i < 3; i++) {
    const text = `I look at file${turn}.ts and then change what has to be changed in it (${i}).`;
    for (const sessionUpdate of ["agent_thought_chunk", "agent_message_chunk"]) {
      all.push(entry("update", { update: { sessionUpdate, content: { type: "text", text } } }));
    }
    const toolCallId = `call_${turn}_${i}`;
    const call = { sessionUpdate: "tool_call", toolCallId, title: "Edit", kind: "edit", status: "completed" };
    all.push(entry("update", { update: { ...call, content: outputOf(300) } }));
  }
  return [...all, entry("end", { result: { stopReason: "end_turn" } })];
}

function rows(builds, samples) {
  const figures = (suffix) =>
    Object.fromEntries(builds.map(({ name }) => [name, samples.median(name + suffix)]));
  const [rate, firstMs] = [samples.median("sidecar"), samples.median("sidecar first")];
  return [
    {
      what: "`session/load` of 100,000 entries, entries/s",
      figures: figures(""),
      ratio: `${Math.round(rate).toLocaleString("en")}/s`,
      wanted: "≥ 150,000/s",
      met: rate >= 150_000,
    },
    {
      what: "its first update after the request, ms",
      figures: figures(" first"),
      ratio: `${firstMs.toFixed(1)} ms`,
      wanted: "≤ 20 ms",
      met: firstMs <= 20,
    },
  ];
}
