/** Hand-made histories and stores, to judge the checker by. */
import type { Entry, EntryKind } from "../../../src/store/contract.ts";
import type { Update } from "../../e2e/harness/wire.ts";
import { check } from "./check.ts";
import type { Found, FoundSession, HistoryEvent, Rule } from "./history.ts";
import { stampText } from "./stamps.ts";

export const id = "01SESSION";
export const mark = (name: string, padChars = 0): string => {
  const [prompt = "", thing = "", count] = name.split(".");
  return stampText({ prompt, thing, count: Number(count) }, padChars);
};
export const chunk = (...names: string[]): Update => ({
  sessionUpdate: "agent_message_chunk",
  content: { type: "text", text: names.map((name) => mark(name, 7)).join("") },
});
export const tool = (name: string): Update => ({
  sessionUpdate: "tool_call",
  toolCallId: "t",
  title: mark(name),
});
export const plan = (name: string): Update => ({
  sessionUpdate: "plan",
  entries: [{ content: mark(name), priority: "high", status: "pending" }],
});
export const title = (name: string): Update => ({ sessionUpdate: "session_info_update", title: mark(name) });
export const promptBody = (name: string) => [{ type: "text", text: mark(`${name}.p0.1`) }];

let nextId = 0;
/** The id of the request that was asked last. */
export const lastId = (): number => nextId;
export const asked = (method: string, params: object, requestId = (nextId += 1)): HistoryEvent[] => [
  { kind: "asked", client: "a1", message: { id: requestId, method, params: { ...params } } },
];
export const answered = (requestId: number, result: unknown): HistoryEvent => ({
  kind: "told",
  client: "a1",
  message: { id: requestId, result },
});
export const refused = (requestId: number, code: number): HistoryEvent => ({
  kind: "told",
  client: "a1",
  message: { id: requestId, error: { code, message: "no" } },
});
export const exchange = (method: string, params: object, result: unknown): HistoryEvent[] => {
  const [request] = asked(method, params);
  return [...(request ? [request] : []), answered(nextId, result)];
};
export const told = (update: Update, sessionId = id): HistoryEvent => ({
  kind: "told",
  client: "a1",
  message: { method: "session/update", params: { sessionId, update } },
});
export const born = exchange("session/new", { cwd: "/" }, { sessionId: id });
export const asks = (prompt: string) =>
  asked("session/prompt", { sessionId: id, prompt: promptBody(prompt) });

export const entry = (kind: EntryKind, data: object): Omit<Entry, "seq"> => ({
  kind,
  atMs: 1,
  data: JSON.stringify(data),
});
export const prompted = (name: string) => entry("prompt", { prompt: promptBody(name) });
export const updated = (update: Update) => entry("update", { update });
export const stored = (...entries: Omit<Entry, "seq">[]): FoundSession => ({
  stored: {
    headSeq: entries.length,
    sealedSeq: entries.length,
    entries: entries.map((each, at) => ({ ...each, seq: at + 1 })),
  },
});
export const replayed = (...replay: Update[]): FoundSession => ({ replay });
export const said = (name: string): Update => ({
  sessionUpdate: "user_message_chunk",
  content: { type: "text", text: mark(`${name}.p0.1`) },
});
export const find = (session: FoundSession): Found => ({ sessions: new Map([[id, session]]) });
export const rulesOf = (history: readonly HistoryEvent[], found: Found): Rule[] => [
  ...new Set(check(history, found).map(({ rule }) => rule)),
];

/** A prompt with a message, a tool call in two states and a thought in the middle. */
export const turn: HistoryEvent[] = [
  ...born,
  ...asks("c1"),
  told(chunk("c1.m2.1")),
  told(tool("c1.t1.1")),
  told(chunk("c1.m2.2")),
  told(tool("c1.t1.2")),
  { kind: "broke", what: "killed" },
];
export const whole = [prompted("c1"), updated(chunk("c1.m2.1", "c1.m2.2")), updated(tool("c1.t1.2"))];
