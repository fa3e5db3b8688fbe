/** Taking a large session along: how fast each form is written, and how much more memory that takes than a small one. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import path from "node:path";
import { sidecar } from "../contenders.mjs";
import { memoryOf } from "../measure/memory.mjs";
import { entry, libraryOf, openStoreOf, storeSession } from "../store.mjs";

const formats = ["markdown", "html", "json", "jsonl", "bundle"];
/** Between two looks at how much a process holds: the system keeps the peak. */
const lookEachMs = 20;

export async function historyExport({ folder, quick, options }) {
  const contender = sidecar(folder, options.binary, "export");
  const library = await libraryOf(contender.library);
  const store = await openStoreOf(contender.library, contender.store);
  const session = (bytes) => storeSession(store, library, { cwd: folder, bytes, turnOf });
  const small = await session(1e5);
  const large = await session(quick ? 1e8 : 1e9);
  await store.close();
  const rows = [];
  for (const format of formats) {
    const before = await exported(contender, folder, options, small.id, format);
    const { seconds, peakMb, bytes } = await exported(contender, folder, options, large.id, format);
    const rate = large.bytes / 1e6 / Math.max(0.001, seconds - before.seconds);
    rows.push({
      what: `export of ${(large.bytes / 1e9).toFixed(2)} GB as ${format}, MB/s`,
      figures: { sidecar: rate },
      ratio: `${(bytes / 1e6).toFixed(0)} MB written, ${(peakMb - before.peakMb).toFixed(0)} MB more resident`,
      wanted: "≥ 50 MB/s, ≤ 60 MB",
      met: rate >= 50 && peakMb - before.peakMb <= 60,
    });
  }
  return rows;
}

async function exported(contender, folder, options, id, format) {
  const out = path.join(folder, `${id}.${format}`);
  const argv = [
    options.binary,
    "export",
    id,
    "--store",
    contender.store,
    "--format",
    format,
    "--out",
    out,
    "--force",
  ];
  const startedMs = performance.now();
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "ignore", "inherit"] });
  let peakMb = 0;
  const look = setInterval(() => {
    try {
      ({ peakMb } = memoryOf(child.pid));
    } catch {
      // It has ended.
    }
  }, lookEachMs);
  const [status] = await once(child, "exit");
  clearInterval(look);
  if (status !== 0) throw new Error(`export ended with ${status}`);
  return { seconds: (performance.now() - startedMs) / 1000, peakMb, bytes: statSync(out).size };
}

const words =
  "The sum of floats was the reason, so the total is kept in cents and `round` is called once.\n\n";

function turnOf(turn) {
  const chunk = (kind, text) =>
    entry("update", { update: { sessionUpdate: kind, content: { type: "text", text } } });
  const code = `export const part${turn} = (a: number) => a * ${turn};\n`;
  const call = {
    sessionUpdate: "tool_call",
    toolCallId: `c${turn}`,
    title: "Read src/total.ts",
    kind: "read",
    status: "completed",
    content: [{ type: "content", content: { type: "text", text: code.repeat(120) } }],
  };
  return [
    entry("prompt", { prompt: [{ type: "text", text: `Read part ${turn}, and say what is wrong` }] }),
    chunk("agent_thought_chunk", words.repeat(4)),
    entry("update", { update: call }),
    chunk("agent_message_chunk", words.repeat(20)),
    entry("end", { result: { stopReason: "end_turn" } }),
  ];
}
