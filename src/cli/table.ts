/** Tables that fit the terminal; elsewhere nothing is cut. */
import type { Io } from "./command.ts";
import { oneLine, print } from "./print.ts";
import { cellWidth, fitted, padded, widthOf } from "./width.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** It may be cut to this width. */
  readonly min?: number;
  /** What stays of what is cut. */
  readonly keep?: "start" | "end";
  /** Where there is no room at all, those with the lowest number are left out first. */
  readonly leaveOut?: number;
  readonly style?: (cell: string, text: string) => string;
}

const gap = 2;

/** A column that is named by its title only is not cut, unless it is the last one. */
export async function printTable(
  io: Pick<Io, "output" | "columns">,
  given: readonly (string | Column)[],
  rows: readonly (readonly string[])[],
  styleHeader: (text: string) => string = (text) => text,
): Promise<void> {
  const columns = given.map((column, at): Column => {
    if (typeof column !== "string") return column;
    return at === given.length - 1 ? { title: column, min: 1 } : { title: column };
  });
  const cells = rows.map((row) => row.map(oneLine));
  const widths = columns.map(({ title }, at) =>
    cells.reduce((most, row) => Math.max(most, cellWidth(row[at] ?? "")), widthOf(title)),
  );
  const shown = shownWithin(columns, widths, io.columns ?? Infinity);
  const line = (row: readonly string[], style: (cell: string, at: number) => string) =>
    `${shown
      .map(({ at, width }) => style(cellOf(columns[at], row[at] ?? "", width, io.columns !== undefined), at))
      .join(" ".repeat(gap))
      .trimEnd()}\n`;
  const header = line(
    columns.map(({ title }) => title),
    (cell) => cell,
  );
  await print(io, styleHeader(header.trimEnd()) + "\n");
  for (const row of cells) {
    await print(
      io,
      line(row, (cell, at) => columns[at]?.style?.(cell, row[at] ?? "") ?? cell),
    );
  }
}

function cellOf(column: Column | undefined, text: string, width: number, isCut: boolean): string {
  return padded(isCut ? fitted(text, width, column?.keep) : text, width, column?.align);
}

/** Which columns are shown, each with its width: the widest of those that may be cut gives way first. */
function shownWithin(
  columns: readonly Column[],
  natural: readonly number[],
  room: number,
): { readonly at: number; readonly width: number }[] {
  const shown = natural.map((width, at) => ({ at, width }));
  const total = () => shown.reduce((sum, { width }) => sum + width + gap, -gap);
  for (let over = total() - room; over > 0; over = total() - room) {
    const spare = ({ at, width }: { at: number; width: number }) => width - (columns[at]?.min ?? width);
    const widest = shown.filter((each) => spare(each) > 0).sort((a, b) => b.width - a.width);
    const [first, second] = widest;
    if (first !== undefined) {
      const downTo = Math.max(first.width - over, columns[first.at]?.min ?? 0, (second?.width ?? 0) - 1);
      first.width = Math.min(first.width - 1, downTo);
      continue;
    }
    const least = shown.filter(({ at }) => columns[at]?.leaveOut !== undefined);
    const leave = least.sort((a, b) => (columns[a.at]?.leaveOut ?? 0) - (columns[b.at]?.leaveOut ?? 0))[0];
    if (leave === undefined) break;
    shown.splice(shown.indexOf(leave), 1);
  }
  return shown;
}
