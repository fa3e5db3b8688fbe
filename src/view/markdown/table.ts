/** Tables of a Markdown text. */
import type { Align, Block } from "./tree.ts";

const [maxColumns, maxRows] = [50, 2000];

interface FoundTable {
  readonly table: Block;
  /** The first line after it. */
  readonly end: number;
}

export function tableAt(lines: readonly string[], at: number): FoundTable | undefined {
  const [first = "", second = ""] = [lines[at], lines[at + 1]];
  if (!first.includes("|") || !second.includes("-") || second.length > 10_000) return undefined;
  const aligns = cellsOf(second).map(alignOf);
  const head = cellsOf(first);
  if (aligns.includes("none") || head.length !== aligns.length || head.length > maxColumns) return undefined;
  const rows: string[][] = [];
  let end = at + 2;
  for (; end < lines.length && rows.length < maxRows; end += 1) {
    const line = lines[end] ?? "";
    if (line.trim() === "" || !line.includes("|")) break;
    const cells = cellsOf(line).slice(0, head.length);
    while (cells.length < head.length) cells.push("");
    rows.push(cells);
  }
  return { table: { type: "table", aligns: aligns as Align[], head, rows }, end };
}

function alignOf(cell: string): Align | "none" {
  let [from, to] = [0, cell.length];
  if (cell.startsWith(":")) from += 1;
  if (cell.endsWith(":") && to > from) to -= 1;
  if (to === from) return "none";
  for (let at = from; at < to; at += 1) if (cell[at] !== "-") return "none";
  if (from > 0) return to < cell.length ? "center" : "left";
  return to < cell.length ? "right" : undefined;
}

/** A bar within code, or behind a backslash, is none between cells. */
function cellsOf(line: string): string[] {
  const text = line.trim();
  const cells: string[] = [];
  let [cell, isCode] = ["", false];
  for (let at = text.startsWith("|") ? 1 : 0; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (character === "\\" && text[at + 1] === "|") {
      cell += "|";
      at += 1;
    } else if (character === "|" && !isCode) {
      cells.push(cell.trim());
      cell = "";
    } else {
      if (character === "`") isCode = !isCode && text.indexOf("`", at + 1) >= 0;
      cell += character;
    }
  }
  if (cell.trim() !== "") cells.push(cell.trim());
  return cells;
}
