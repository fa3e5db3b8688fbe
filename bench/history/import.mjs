/** Bringing in a large history of another program: how fast it is read and written, and how much memory that takes. */
import path from "node:path";
import { sidecar } from "../contenders.mjs";
import { claudeHistory } from "./claude-history.mjs";
import { measured } from "./cpu.mjs";

export async function historyImport({ folder, options }) {
  const imported = async (name, bytes) => {
    const home = path.join(folder, name);
    const written = claudeHistory(home, bytes);
    const { store } = sidecar(folder, options.binary, name);
    const argv = [options.binary, "import", "claude", path.join(home, "projects"), "--store", store];
    return { ...(await measured(argv, folder, { XDG_DATA_HOME: folder })), bytes: written };
  };
  const before = await imported("small", 1e5);
  const { seconds, peakMb, bytes } = await imported("large", options.importMb * 1e6);
  const rate = bytes / 1e6 / Math.max(0.001, seconds - before.seconds);
  const more = peakMb - before.peakMb;
  return [
    {
      what: `import of ${(bytes / 1e9).toFixed(2)} GB of Claude Code's history, MB per second of one core`,
      figures: { sidecar: rate },
      ratio: `${more.toFixed(0)} MB more resident`,
      wanted: "≥ 50 MB/s, ≤ 60 MB",
      met: rate >= 50 && more <= 60,
    },
  ];
}
