/** Which sessions somebody asks for, as far as no store can look for that. */
import { isSameFolder } from "../base/folder.ts";
import type { SessionRecord } from "../store/contract.ts";
import { agentHas, agentNamesOf, hasPart } from "./agent-names.ts";
import { stateOf, type SessionState } from "./state.ts";

export interface WantedSessions {
  /** Absolute, by whichever link or spelling it was opened. */
  readonly folder?: string | undefined;
  readonly state?: SessionState | undefined;
  /** A part of the agent's name. */
  readonly agent?: string | undefined;
  /** A part of the title. */
  readonly title?: string | undefined;
  /** Each word stands in the title, the folder, the id or a name of the agent. */
  readonly words?: string | undefined;
}

type Check = (record: SessionRecord) => boolean;

/** Undefined where nothing is wanted. */
export function checkFor({ folder, state, agent, title, words }: WantedSessions): Check | undefined {
  const checks: Check[] = [];
  if (folder !== undefined) checks.push(folderCheck(folder));
  if (state !== undefined) checks.push(({ lease }) => stateOf(lease) === state);
  if (agent !== undefined) checks.push((record) => agentHas(record, agent));
  if (title !== undefined) checks.push((record) => hasPart([record.title], title));
  if (words !== undefined) checks.push(wordsCheck(words));
  return checks.length === 0 ? undefined : (record) => checks.every((check) => check(record));
}

function wordsCheck(words: string): Check {
  const wanted = words.split(/\s+/).filter((word) => word !== "");
  return (record) => {
    const about = [record.title, record.cwd, record.id, ...agentNamesOf(record)];
    return wanted.every((word) => hasPart(about, word));
  };
}

function folderCheck(wanted: string): Check {
  const known = new Map<string, boolean>();
  return ({ cwd }) => {
    const isKnown = known.get(cwd) ?? isSameFolder(cwd, wanted);
    known.set(cwd, isKnown);
    return isKnown;
  };
}
