/**
 * Agents that outlive their sidecar: one that was killed cannot stop them, and some do not notice that nobody speaks to
 * them any more. So every agent is noted in a folder that only the user can write to, and the next sidecar stops those
 * whose own is gone. Nothing else is ever stopped, whatever a lease says: its store may be shared with others.
 */
import fs from "node:fs/promises";
import path from "node:path";
import type { Logger } from "../base/log.ts";
import { isRecord, objectIn } from "../base/json.ts";
import { ownFolder } from "../base/own-folder.ts";
import {
  identityOf,
  isSameProcessAlive,
  leadsGroup,
  processSpace,
  startOf,
  type ProcessIdentity,
} from "../base/process.ts";
import { stopGroup } from "./process-group.ts";

interface Note {
  /** Where process numbers mean what they say. */
  readonly space: string;
  readonly sidecar: ProcessIdentity;
  readonly agent: ProcessIdentity;
}

/** Notes that an agent runs. Returns what is to be called when it has been stopped. */
export function noteAgent(agent: ProcessIdentity): () => Promise<void> {
  const sidecar = identityOf(process.pid);
  if (sidecar === undefined || agent.startedAt === "") return async () => undefined;
  const noted = write({ space: processSpace(), sidecar, agent }).catch(() => undefined);
  return async () => {
    const file = await noted;
    if (file !== undefined) await fs.rm(file, { force: true }).catch(() => undefined);
  };
}

/** Stops every agent whose sidecar is gone. */
export async function reapLeftOvers(log: Logger, graceMs: number): Promise<void> {
  const folder = await ownFolder().catch(() => undefined);
  if (folder === undefined) return;
  for (const name of await fs.readdir(folder).catch(() => [])) {
    const stopped = await reap(path.join(folder, name), graceMs).catch(() => undefined);
    if (stopped !== undefined) log.warn({ agentPid: stopped.pid }, "stopped an agent whose sidecar is gone");
  }
}

export interface LeftOver extends ProcessIdentity {
  /** When it was noted, which is when it started. */
  readonly sinceMs: number;
}

/** Agents that are still there though their sidecar is gone. Errors: the system's own. */
export async function leftOvers(): Promise<readonly LeftOver[]> {
  const folder = await ownFolder();
  const found = await Promise.all(
    (await fs.readdir(folder)).map(async (name) => {
      const file = path.join(folder, name);
      const [text, about] = await Promise.all([fs.readFile(file, "utf8"), fs.stat(file)]).catch(() => []);
      const note = text === undefined ? undefined : orphanIn(text, name);
      return note === undefined || about === undefined ? [] : [{ ...note.agent, sinceMs: about.mtimeMs }];
    }),
  );
  return found.flat().filter(isStillThere);
}

/** Stops an agent that a dead sidecar of this machine left over. True if it was there. */
export async function reapAgent(named: ProcessIdentity, graceMs: number): Promise<boolean> {
  // From a lease, which may be anybody's: it names a note of ours, and all else is looked up there.
  if (!isIdentity(named)) return false;
  const { pid, startedAt } = named;
  const folder = await ownFolder().catch(() => undefined);
  if (folder === undefined) return false;
  const stopped = await reap(path.join(folder, nameOf(pid)), graceMs, startedAt).catch(() => undefined);
  return stopped !== undefined;
}

/** The agent that was stopped, if one was. What is noted of a dead one is forgotten. */
async function reap(file: string, graceMs: number, startedAt?: string): Promise<ProcessIdentity | undefined> {
  const note = orphanIn(await fs.readFile(file, "utf8"), path.basename(file));
  if (note === undefined || (startedAt !== undefined && startedAt !== note.agent.startedAt)) return undefined;
  const { agent } = note;
  const isThere = isStillThere(agent);
  if (isThere) await stopGroup(agent.pid, graceMs);
  await fs.rm(file, { force: true });
  return isThere ? agent : undefined;
}

function isStillThere({ pid, startedAt }: ProcessIdentity): boolean {
  return startOf(pid) === startedAt && leadsGroup(pid);
}

/** What a file of this name notes, if its sidecar was of this machine and is gone. */
function orphanIn(text: string, name: string): Note | undefined {
  const note = noteIn(text);
  const isOurs = note?.space === processSpace() && name === nameOf(note.agent.pid);
  return isOurs && !isSameProcessAlive(note.sidecar) ? note : undefined;
}

async function write(note: Note): Promise<string> {
  const folder = await ownFolder();
  const file = path.join(folder, nameOf(note.agent.pid));
  await fs.writeFile(file, JSON.stringify(note), { mode: 0o600 });
  return file;
}

function nameOf(pid: number): string {
  return `agent-${pid}.json`;
}

/** Undefined also for one whose writer was killed before it was whole. */
function noteIn(text: string): Note | undefined {
  const note = objectIn(text);
  return note !== undefined &&
    typeof note.space === "string" &&
    isIdentity(note.sidecar) &&
    isIdentity(note.agent)
    ? (note as unknown as Note)
    : undefined;
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return (
    isRecord(value) &&
    Number.isInteger(value.pid) &&
    Number(value.pid) > 1 &&
    typeof value.startedAt === "string" &&
    value.startedAt !== ""
  );
}
