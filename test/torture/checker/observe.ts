/** What a store or a replay holds of a session: its stamps in order, and texts that are not whole. */
import type { Entry } from "../../../src/store/contract.ts";
import { isRecord } from "../../../src/base/json.ts";
import type { Update } from "../../e2e/harness/wire.ts";
import { damageIn, isReplayed, stampsIn, type Stamp } from "./stamps.ts";

export interface Observation {
  readonly where: "the store" | "the replay";
  readonly stamps: readonly Stamp[];
  /** Texts of the agent that do not consist of whole pieces. */
  readonly torn: readonly string[];
  /** Whether it shows things of this kind at all. */
  readonly shows: (thing: string) => boolean;
}

export function observeEntries(entries: readonly Entry[]): Observation {
  return {
    where: "the store",
    stamps: entries.flatMap(({ data }) => stampsIn(data)),
    torn: [
      ...entries.flatMap(({ kind, data }) => (kind === "update" ? tornIn(updateOf(data)) : [])),
      ...entries.filter(({ data }) => data.includes(noticeId)).map(() => "a notice of ours that was kept"),
    ],
    shows: () => true,
  };
}

export function observeReplay(updates: readonly Update[]): Observation {
  return {
    where: "the replay",
    stamps: updates.flatMap((update) => stampsIn(JSON.stringify(update))),
    torn: [
      ...updates.filter((update) => !isNotice(update)).flatMap(tornIn),
      ...updates
        .filter(isNotice)
        .slice(1)
        .map(() => "a notice of ours that was told twice"),
    ],
    shows: isReplayed,
  };
}

function updateOf(data: string): Update | undefined {
  const value: unknown = JSON.parse(data);
  const update = isRecord(value) ? value["update"] : undefined;
  return isRecord(update) ? (update as Update) : undefined;
}

const noticeId = "acp-sidecar:agent-history";

/**
 * An agent that was killed in a turn may remember less than happened. That is told to who loads, in words of ours: once
 * in a load, with no stamp in it, and never as a part of the history.
 */
function isNotice({ sessionUpdate, messageId, content }: Update): boolean {
  if (messageId !== noticeId || sessionUpdate !== "agent_thought_chunk") return false;
  return stampsIn(JSON.stringify(content)).length === 0;
}

function tornIn(update: Update | undefined): string[] {
  if (update === undefined || !/^agent_.*_chunk$/.test(update.sessionUpdate)) return [];
  const content = update["content"];
  const text = isRecord(content) && content["type"] === "text" ? content["text"] : undefined;
  const damage = typeof text === "string" ? damageIn(text) : undefined;
  return damage === undefined ? [] : [damage];
}
