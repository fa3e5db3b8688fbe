/** Tables for people, JSON for programs. */
import type { Io } from "./command.ts";

/** Waits when the reader is slow, so that long output needs little memory; a reader that left is no failure. */
export async function print({ output }: Pick<Io, "output">, text: string): Promise<void> {
  if (output.destroyed || output.write(text)) return;
  await new Promise<void>((resolve) => {
    const events = ["drain", "close", "error"];
    const done = () => {
      for (const event of events) output.off(event, done);
      resolve();
    };
    for (const event of events) output.on(event, done);
  });
}

export function printJson(io: Pick<Io, "output">, value: unknown): Promise<void> {
  return print(io, `${JSON.stringify(value, undefined, 2)}\n`);
}

/** On a terminal the last column is cut to fit; elsewhere nothing is. */
export function printTable(
  io: Pick<Io, "output" | "columns">,
  headers: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<void> {
  const cells = [headers, ...rows.map((row) => row.map(oneLine))];
  const widths = headers.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    cut(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "), io),
  );
  return print(io, lines.map((line) => `${line}\n`).join(""));
}

/** `name: value` lines under one another. */
export function printFacts(
  io: Pick<Io, "output">,
  facts: readonly (readonly [string, string | undefined])[],
): Promise<void> {
  const shown = facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
  const width = Math.max(...shown.map(([name]) => name.length)) + 2;
  return print(io, shown.map(([name, value]) => `${`${name}:`.padEnd(width)}${oneLine(value)}\n`).join(""));
}

/** Text from a session may hold anything; a terminal must not obey it. */
export function printable(text: string): string {
  return text.replace(/(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}

export function oneLine(text: string): string {
  return printable(text.replace(/[\r\n\t]+/g, " "));
}

/** `2026-01-31 14:05:09`, in local time. */
export function timeText(ms: number): string {
  const at = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":")}`;
}

/** `117.7 MiB` */
export function sizeText(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  return power === 0 ? `${bytes} bytes` : `${(bytes / 1024 ** power).toFixed(1)} ${units[power]}`;
}

function cut(line: string, { columns }: Pick<Io, "columns">): string {
  const trimmed = line.trimEnd();
  return columns === undefined || trimmed.length <= columns ? trimmed : `${trimmed.slice(0, columns - 1)}…`;
}
