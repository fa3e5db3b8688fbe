/** Before something is taken away a person is asked, and a program must have said that it means it. */
import { createInterface } from "node:readline";
import { SidecarError } from "../base/errors.ts";
import type { Invocation, Io } from "./command.ts";

/**
 * Before anything is opened. Errors: `USAGE` where nobody can be asked.
 * @param what the command and what it does
 */
export function assertMeant(
  what: string,
  { flags }: Invocation,
  io: Io,
  allowed = "--yes, or --dry-run to see what would go",
): void {
  if (flags["yes"] || flags["dry-run"] || io.isTerminal === true) return;
  throw new SidecarError("USAGE", `${what}, and there is no terminal to ask on; allowed: ${allowed}`);
}

/** Whether the person says yes; nothing else is one. */
export async function isMeant(
  question: string,
  { flags }: Invocation,
  io: Io,
  otherwise = "Nothing was deleted.",
): Promise<boolean> {
  if (flags["yes"]) return true;
  io.errors.write(`${question} [y/N] `);
  const isYes = /^y(es)?$/i.test((await lineFrom(io)).trim());
  if (!isYes) io.errors.write(`${otherwise}\n`);
  return isYes;
}

/** Empty at the end of the input. */
async function lineFrom({ input }: Io): Promise<string> {
  const lines = createInterface({ input });
  try {
    for await (const line of lines) return line;
    return "";
  } finally {
    lines.close();
  }
}
