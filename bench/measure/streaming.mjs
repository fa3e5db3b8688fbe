/** Updates per second through one turn; those of the sidecar are found in its store afterwards, word by word. */
import assert from "node:assert/strict";
import { BenchClient } from "../client.mjs";
import { contenders } from "../contenders.mjs";
import { Samples } from "../stats.mjs";
import { messageUpdate, mixedUpdate, tokenOf } from "../updates.mjs";
import { openStoreOf } from "../store.mjs";

export async function streaming({ folder, quick, options }) {
  const count = quick ? 30_000 : 100_000;
  const rounds = quick ? 3 : 7;
  const rows = [];
  for (const kind of ["text", "mixed"]) {
    const samples = new Samples();
    const all = contenders(folder, options);
    for (let round = 0; round < rounds; round++) {
      for (const contender of all) samples.add(contender.name, await stream(contender, folder, kind, count));
    }
    rows.push(row(all, samples, kind, count));
  }
  return rows;
}

/** Updates per second, from the prompt to its answer. */
export async function stream(contender, folder, kind, count) {
  const client = new BenchClient(contender);
  const sessionId = await client.open(folder);
  await client.prompt(sessionId, "stream 2000 text");
  const exchange = await client.prompt(sessionId, `stream ${count} ${kind}`);
  await client.close();
  check(exchange.messages(), sessionId, kind, count);
  if (contender.store !== undefined) await checkStored(contender, sessionId, kind, count);
  return count / ((exchange.endedAtMs - exchange.sentAtMs) / 1000);
}

function check(messages, sessionId, kind, count) {
  assert.equal(messages.length, count);
  const updateOf = kind === "mixed" ? mixedUpdate : messageUpdate;
  messages.forEach(({ method, params }, i) => {
    assert.equal(method, "session/update");
    assert.equal(params.sessionId, sessionId);
    assert.deepEqual(params.update, updateOf(i));
  });
}

/** The whole text of the turn, and every tool call in its final state. */
async function checkStored(contender, sessionId, kind, count) {
  const store = await openStoreOf(contender);
  let text = "";
  let calls = 0;
  for await (const page of store.read(sessionId)) {
    for (const { kind: entryKind, data } of page) {
      if (entryKind === "prompt") [text, calls] = ["", 0];
      if (entryKind !== "update") continue;
      const { update } = JSON.parse(data);
      if (update.content?.text !== undefined) text += update.content.text;
      else if (update.toolCallId === `call_${calls}`) calls += 1;
    }
  }
  await store.delete(sessionId);
  await store.close();
  const isText = (_, i) => kind === "text" || i % 5 !== 4;
  const words = Array.from({ length: count }, (_, i) => i).filter(isText);
  assert.equal(text, words.map(tokenOf).join(""));
  assert.equal(calls, kind === "mixed" ? Math.ceil(Math.floor(count / 5) / 4) : 0);
}

function row(all, samples, kind, count) {
  const [toBytes, toSdk] = [samples.ratio("sidecar", "bytes"), samples.ratio("sidecar", "sdk")];
  const what = kind === "text" ? "all text" : "every fifth a tool call's";
  return {
    what: `streaming ${count.toLocaleString("en")} updates (${what}), updates/s`,
    figures: Object.fromEntries(all.map(({ name }) => [name, samples.median(name)])),
    ratio: `${toBytes.toFixed(2)} × (b), ${toSdk.toFixed(1)} × (c)`,
    ...(kind === "text" && { wanted: "≥ 0.5 × (b), ≥ 5 × (c)", met: toBytes >= 0.5 && toSdk >= 5 }),
  };
}
