/** The account: the machine, and a row of Markdown per figure. */
import os from "node:os";
import { execFileSync } from "node:child_process";

const columns = ["agent", "bytes", "sdk", "sidecar"];

export function machine(folder) {
  const memoryGb = os.totalmem() / 1e9;
  const lines = [
    `${os.cpus().length} × ${os.cpus()[0]?.model.trim() ?? "unknown CPU"}, ${memoryGb.toFixed(0)} GB memory`,
    `${os.type()} ${os.release()} ${os.arch()}, ${fileSystemOf(folder)}, Node ${process.version}`,
    `load average at the start ${load()}`,
  ];
  return lines.join("; ");
}

/** Of the last minute: how much else was running. */
export function load() {
  return os.loadavg()[0].toFixed(1);
}

function fileSystemOf(folder) {
  try {
    return execFileSync("stat", ["-f", "-c", "%T", folder], { encoding: "utf8" }).trim();
  } catch {
    return "unknown file system";
  }
}

export function table(rows, against) {
  const shown = against === undefined ? columns : [...columns, "other"];
  const head = ["", "agent (a)", "bytes (b)", "SDK (c)", "sidecar (d)", "other build", "ratio", "wanted", ""];
  if (against === undefined) head.splice(5, 1);
  const align = head.map((_, i) => (i > 0 && i <= shown.length ? "---:" : "---"));
  const body = rows.map(({ what, figures, ratio, wanted = "", met }) => [
    what,
    ...shown.map((name) => figure(figures[name])),
    ratio,
    wanted,
    met === undefined ? "" : met ? "met" : "**missed**",
  ]);
  return [head, align, ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** A table of its own for a group of stores, one column each. */
export function storeTable({ title, columns, rows, notes = [] }) {
  const head = ["", ...columns, "wanted", ""];
  const align = head.map((_, i) => (i > 0 && i <= columns.length ? "---:" : "---"));
  const body = rows.map(({ what, figures, wanted, missed }) => [
    what,
    ...columns.map((name) => figure(figures[name])),
    wanted,
    missed === undefined ? "" : missed.length === 0 ? "met" : `**missed**: ${missed.join(", ")}`,
  ]);
  const lines = [head, align, ...body].map((cells) => `| ${cells.join(" | ")} |`);
  return [`### ${title}`, "", ...(rows.length > 0 ? [...lines, ""] : []), ...notes].join("\n").trimEnd();
}

function figure(value) {
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  if (value >= 1000) return Math.round(value).toLocaleString("en");
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
