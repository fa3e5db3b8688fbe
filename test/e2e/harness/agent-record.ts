/** What the fixture agents noted of what they were sent (ACP_FIXTURE_RECORD, see peer.mjs). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Id, Message } from "./wire.ts";

export type AgentNote =
  | { readonly start: number; readonly argv: readonly string[] }
  | { readonly line: string }
  | { readonly asked: { readonly id: Id; readonly method: string } }
  | { readonly end: true };

/** One agent process: what it was sent, in order. */
export interface AgentProcess {
  readonly file: string;
  readonly pid: number;
  readonly argv: readonly string[];
  readonly notes: readonly AgentNote[];
  readonly messages: readonly Message[];
  /** Its stdin was closed before it ended. */
  readonly sawEnd: boolean;
}

function readNotes(file: string): AgentNote[] {
  const lines = readFileSync(file, "utf8").split("\n");
  const whole = lines.slice(0, -1);
  return whole.map((line) => JSON.parse(line) as AgentNote);
}

/** Every agent process that recorded into `dir`, in order of start. */
export function readAgentRecords(dir: string): AgentProcess[] {
  return readdirSync(dir)
    .sort()
    .flatMap((name) => {
      const file = join(dir, name);
      const notes = readNotes(file);
      const start = notes.find((note) => "start" in note);
      if (start === undefined) return [];
      const messages = notes.flatMap((note) => ("line" in note ? [JSON.parse(note.line) as Message] : []));
      const sawEnd = notes.some((note) => "end" in note);
      return [{ file, pid: start.start, argv: start.argv, notes, messages, sawEnd }];
    });
}
