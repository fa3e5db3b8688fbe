/** Taking a large session along: how fast each form is written, and how much more memory that takes than a small one. */
import { statSync } from "node:fs";
import path from "node:path";
import { sidecar } from "../contenders.mjs";

import { entry, libraryOf, openStoreOf, storeSession } from "../store.mjs";
import { measured } from "./cpu.mjs";

const formats = ["markdown", "html", "json", "jsonl", "bundle"];
export async function historyExport({ folder, quick, options }) {
  const contender = sidecar(folder, options.binary, "export");
  const library = await libraryOf(contender.library);
  const store = await openStoreOf(contender);
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
      what: `export of ${(large.bytes / 1e9).toFixed(2)} GB as ${format}, MB per second of one core`,
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
  const used = await measured(argv, folder);
  return { ...used, bytes: statSync(out).size };
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
