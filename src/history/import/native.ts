/** Sessions as other programs have kept them: what a reader of a format gives to the intake. */
import type { AgentFacts, NewEntry, NewSession } from "../../store/contract.ts";

/** Something that could not be read. It names a place, never what stands there. */
export interface Problem {
  readonly path: string;
  /** From 1. */
  readonly line?: number;
  readonly reason: string;
  /** Nothing is wrong: somebody is writing there, and the next import has it. */
  readonly isPending?: boolean;
}

/** Each costs what it names, and nothing else. */
export type Report = (problem: Problem) => void;

/** What is known of a session; the more of it has been read, the more. */
export interface NativeFacts {
  readonly cwd?: string | undefined;
  readonly title?: string | undefined;
  readonly createdAtMs?: number | undefined;
  readonly updatedAtMs?: number | undefined;
  /** The one that had it, as it calls itself over ACP: it may then go on with a session of its own. */
  readonly agent: AgentFacts;
}

/** The next entries of a session, in order and final: messages are whole. */
export interface NativeBatch {
  readonly entries: readonly NewEntry[];
  readonly facts: NativeFacts;
  /** How much of the original they are, for whoever is told how far it is. */
  readonly bytes: number;
  /** What ends the last turn as long as nothing more comes: no part of what a grown session goes on from. */
  readonly tail?: readonly NewEntry[];
}

/** A session that lies somewhere, not yet read. */
export interface NativeSession {
  /** Whose format it is: `claude`. */
  readonly source: string;
  /** What that program calls it. */
  readonly nativeId: string;
  /** Where it lies, for people. */
  readonly path: string;
  /** Differs when anything of it has changed: sizes and times of its files. */
  readonly stamp: string;
  readonly modifiedAtMs: number;
  readonly bytes: number;
  /** What that program calls the session that it was forked from, whose beginning it may repeat. */
  readonly forkOf?: string | undefined;
  /** Of one of our own: its record, whose id it keeps, and as which it is known again. */
  readonly record?: NewSession;
  /** From its beginning, as often as it is called. The same original gives the same entries, to the letter. */
  read(report: Report): AsyncIterable<NativeBatch>;
}

/** What knows one format. Reads only. */
export interface HistoryReader {
  /** Where this program keeps its histories, if it is there. */
  places(env: Readonly<Record<string, string | undefined>>): readonly string[];
  /** The sessions of a folder or file. */
  sessions(place: string, report: Report): AsyncIterable<NativeSession>;
}

/** The last one that a calendar has. */
const lastMs = 8_640_000_000_000_000;

/** Whether it is a time at which something may have been said: what another program notes may be any number. */
export function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= lastMs;
}
