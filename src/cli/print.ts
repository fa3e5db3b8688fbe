/** Text for people, JSON for programs. */
import { visible, visibleJson, visibleLine } from "../base/visible.ts";
import type { Io } from "./command.ts";
import { inRoom } from "./wrap.ts";

/** Where a command writes to. */
export type Out = Pick<Io, "output" | "isJson">;

/** Waits when the reader is slow, so that long output needs little memory; a reader that left is no failure. */
export async function print({ output, isJson }: Out, text: string): Promise<void> {
  if (output.destroyed || output.write(isJson === true ? visibleJson(text) : text)) return;
  await new Promise<void>((resolve) => {
    const events = ["drain", "close", "error"];
    const done = () => {
      for (const event of events) output.off(event, done);
      resolve();
    };
    for (const event of events) output.on(event, done);
  });
}

/** After so much of it a long output looks whether anybody reads it still. */
const lookAfterChars = 64 * 1024;

/** Long output: its reader may go away at any time, and then nothing more is to be looked up. */
export class Outflow {
  readonly #io: Out;
  #unlooked = 0;
  #isGone = false;

  constructor(io: Out) {
    this.#io = io;
    // Stdout is never destroyed, whatever happens to it.
    for (const end of ["error", "close"]) io.output.once(end, () => (this.#isGone = true));
  }

  /** Whether somebody may read what comes next. */
  async write(text: string): Promise<boolean> {
    await print(this.#io, text);
    this.#unlooked += text.length;
    if (this.#unlooked > lookAfterChars) {
      this.#unlooked = 0;
      // What is written at once and never waits would never hear that nobody reads it.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return !this.#isGone && !this.#io.output.destroyed;
  }
}

export function printJson({ output }: Pick<Io, "output">, value: unknown): Promise<void> {
  return print({ output, isJson: true }, `${JSON.stringify(value, undefined, 2)}\n`);
}

/** `name: value` lines under one another; on a terminal long values are wrapped in their column. */
export function printFacts(
  io: Pick<Io, "output" | "columns">,
  facts: readonly (readonly [string, string | undefined])[],
): Promise<void> {
  const shown = facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
  const width = shown.reduce((most, [name]) => Math.max(most, name.length), 0) + 2;
  const room = Math.max(20, (io.columns ?? Infinity) - width);
  const lines = shown.flatMap(([name, value]) => {
    const [first = "", ...more] = inRoom(oneLine(value), room);
    return [`${`${name}:`.padEnd(width)}${first}`, ...more.map((line) => " ".repeat(width) + line)];
  });
  return print(io, lines.map((line) => `${line}\n`).join(""));
}

/**
 * Text from a session may hold anything; a terminal must not obey it: control characters, what turns the direction of
 * writing, and halves of characters are shown as JSON writes them.
 */
export function printable(text: string): string {
  return visible(text);
}

export function oneLine(text: string): string {
  return visibleLine(text);
}

/** `2026-01-31 14:05:09`, in local time. */
export function timeText(ms: number): string {
  const at = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":")}`;
}

/** `3h ago`; the date of what is long past. */
export function agoText(ms: number, nowMs: number): string {
  const minutes = Math.floor((nowMs - ms) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes}m ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ago`;
  if (minutes < 100 * 24 * 60) return `${Math.floor(minutes / (24 * 60))}d ago`;
  return timeText(ms).slice(0, 10);
}

/** `1 session`, `2 sessions` */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
