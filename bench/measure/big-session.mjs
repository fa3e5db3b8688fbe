/** Loading a session of 1 GB: how much more memory the sidecar holds at the worst moment than before. */
import { writeFileSync } from "node:fs";
import { BenchClient } from "../client.mjs";
import { sidecar } from "../contenders.mjs";
import { median } from "../stats.mjs";
import { entry, libraryOf, openStoreOf, storeSession } from "../store.mjs";
import { outputOf } from "../updates.mjs";
import { memoryOf } from "./memory.mjs";

export async function bigSession({ folder, quick, options }) {
  const bytes = options.bigMb * 1e6;
  const contender = sidecar(folder, options.binary, "big");
  const store = await openStoreOf(contender);
  const stored = await storeSession(store, await libraryOf(contender.library), {
    cwd: folder,
    bytes,
    turnOf,
  });
  await store.close();
  const added = [];
  for (let round = 0; round < (quick ? 1 : 3); round++) added.push(await loadOnce(contender, folder, stored));
  const [addedMb, seconds] = [
    median(added.map((each) => each.addedMb)),
    median(added.map((each) => each.seconds)),
  ];
  return [
    {
      what: `memory that loading a session of ${(stored.bytes / 1e9).toFixed(2)} GB adds, MB`,
      figures: { sidecar: addedMb },
      ratio: `${stored.entries.toLocaleString("en")} entries in ${seconds.toFixed(1)} s`,
      wanted: "≤ 40 MB",
      met: addedMb <= 40,
    },
  ];
}

/** The rise from a sidecar that has run a turn to its peak while it loads. */
async function loadOnce(contender, cwd, stored) {
  const client = new BenchClient(contender);
  const sessionId = await client.open(cwd);
  await client.prompt(sessionId, "stream 1000 text");
  const { pid } = client.child;
  const before = memoryOf(pid).residentMb;
  // 5 resets the peak: proc(5).
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  const load = { sessionId: stored.id, cwd, mcpServers: [] };
  const { lines, sentAtMs, endedAtMs } = await client.ask("session/load", load, { keep: false });
  const { peakMb } = memoryOf(pid);
  await client.close();
  if (lines !== stored.updates) throw new Error(`${lines} updates of ${stored.updates}`);
  return { addedMb: peakMb - before, seconds: (endedAtMs - sentAtMs) / 1000 };
}

/** Long turns of tool calls with outputs of 8 KB. */
function turnOf(turn) {
  const all = [entry("prompt", { prompt: [{ type: "text", text: `Read everything, part ${turn}` }] })];
  for (let i = 0; i < 100; i++) {
    const call = { sessionUpdate: "tool_call", toolCallId: `call_${turn}_${i}`, title: "Read", kind: "read" };
    all.push(entry("update", { update: { ...call, status: "completed", content: outputOf(8000) } }));
  }
  return [...all, entry("end", { result: { stopReason: "end_turn" } })];
}
