/** Explains a violation by the smallest history that shows it. */
import { check } from "./check.ts";
import { idKey, type Found, type HistoryEvent, type Violation } from "./history.ts";

const maxTextChars = 300;

/** A text for people: what was broken, the events that it takes to show it, and what was found. */
export function explain(history: readonly HistoryEvent[], found: Found, violation: Violation): string {
  const events = shrink(history, (some) => check(some, found).some((each) => isSame(each, violation)));
  const { rule, sessionId, what } = violation;
  return [
    `rule ${rule}: ${what}`,
    `  session ${sessionId}; the smallest history that shows it (${events.length} of ${history.length} events):`,
    ...events.map((event) => `    ${describe(event)}`),
    ...foundLines(found, violation).map((line) => `    ${line}`),
  ].join("\n");
}

const maxAround = 40;

/** What was asked of a session last and answered, and what was broken meanwhile: where to look for the cause. */
export function around(history: readonly HistoryEvent[], sessionId: string): string {
  const ids = new Set<string>();
  const concerns = history.filter((event) => {
    if (event.kind === "broke") return true;
    if (event.kind === "batch" || event.kind === "unsure") return false;
    const { client, message } = event;
    const isOfSession = message.params?.["sessionId"] === sessionId;
    if (event.kind === "told") return message.method === undefined && ids.has(idKey(client, message.id));
    if (isOfSession) ids.add(idKey(client, message.id));
    return isOfSession;
  });
  return [
    "  asked of this session last, and answered:",
    ...concerns.slice(-maxAround).map((event) => `    ${describe(event)}`),
  ].join("\n");
}

/** Fewer events that still satisfy `shows`: pieces of halving size are left out as long as it lasts. */
export function shrink<T>(events: readonly T[], shows: (some: readonly T[]) => boolean): readonly T[] {
  if (!shows(events)) return events;
  let kept = events;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < kept.length;) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (shows(fewer)) kept = fewer;
      else at += size;
    }
  }
  return kept;
}

function isSame(a: Violation, b: Violation): boolean {
  return a.rule === b.rule && a.sessionId === b.sessionId && a.what === b.what;
}

/** One line for an event. */
export function describe(event: HistoryEvent): string {
  switch (event.kind) {
    case "broke":
      return `--- ${event.what}`;
    case "batch":
      return `batch for ${event.sessionId}: ${event.stamps.join(" ")}`;
    case "unsure":
      return `nobody promises that ${event.sessionId} is there`;
    case "asked":
      return `${event.client} → ${short(JSON.stringify(event.message))}`;
    case "told":
      return `${event.client} ← ${short(JSON.stringify(event.message))}`;
  }
}

/** What was found of the things that it is about. */
function foundLines({ sessions }: Found, { sessionId, about }: Violation): string[] {
  const session = sessions.get(sessionId);
  if (session === undefined) return [];
  const { stored, replay, failure } = session;
  const concerns = (text: string) => about.some((name) => text.includes(`⟦${name}.`));
  const entries = stored?.entries.filter(({ data }) => concerns(data)) ?? [];
  const updates = replay?.map((update) => JSON.stringify(update)).filter(concerns) ?? [];
  return [
    ...(failure ? [`found: ${failure.code} ${failure.message}`] : []),
    ...(stored ? [`found: head ${stored.headSeq}, sealed ${stored.sealedSeq}`] : ["found: not in the store"]),
    ...entries.slice(0, 5).map(({ seq, kind, data }) => `entry ${seq} ${kind}: ${short(data)}`),
    ...updates.slice(0, 5).map((text) => `replayed: ${short(text)}`),
  ];
}

function short(text: string): string {
  return text.length <= maxTextChars ? text : `${text.slice(0, maxTextChars)}… (${text.length} characters)`;
}
