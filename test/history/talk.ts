/** A session with all that histories are made of, written to a store as the program does. */
import type { SessionId } from "../../src/base/ids.ts";
import { childMark } from "../../src/acp/child-mark.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { EntryKind, NewEntry, SessionRecord, Store } from "../../src/store/contract.ts";

export const startMs = Date.UTC(2026, 2, 4, 9);
export const kid = "01JGH00000000000000000K1D0";

export const text = (said: string) => ({ type: "text", text: said });

export function entry(kind: EntryKind, data: object, atMs = startMs): NewEntry {
  return { kind, atMs, data: JSON.stringify(data) };
}

export const update = (sessionUpdate: string, fields: object) =>
  entry("update", { update: { sessionUpdate, ...fields } });
export const ofKid = (sessionUpdate: string, fields: object) =>
  entry("update", { [childMark]: kid, update: { sessionUpdate, ...fields } });
export const say = (said: string, kind = "agent_message_chunk") => update(kind, { content: text(said) });
export const prompt = (said: string) => entry("prompt", { prompt: [text(said)] });
export const end = (data: object = { result: { stopReason: "end_turn" } }) => entry("end", data);

/** `words` stands wherever an agent or a person may say something. */
export function talk(words = "said"): NewEntry[] {
  return [
    prompt(`Please ${words}`),
    update("plan", { entries: [{ content: `do ${words}`, status: "completed", priority: "low" }] }),
    say(`thinking ${words}`, "agent_thought_chunk"),
    say(`I begin ${words}`),
    update("tool_call", {
      toolCallId: "d",
      title: `Delegate ${words}`,
      kind: "think",
      status: "completed",
      content: [{ type: "session", sessionId: kid }],
      rawInput: { words },
    }),
    update("subagent_update", { sessionId: kid, title: `Helper ${words}`, state: { state: "running" } }),
    ofKid("agent_message_chunk", { content: text(`helping ${words}`) }),
    say(`Meanwhile ${words}`),
    ofKid("tool_call", { toolCallId: "k", title: `Search ${words}`, kind: "search", status: "completed" }),
    update("subagent_update", { sessionId: kid, state: { state: "idle" } }),
    entry("request", {
      id: 1,
      method: "session/request_permission",
      params: {
        toolCall: { toolCallId: "w", title: `Edit ${words}` },
        options: [{ optionId: "y", name: `Yes ${words}`, kind: "allow_once" }],
      },
    }),
    entry("response", {
      id: 1,
      method: "session/request_permission",
      result: { outcome: { outcome: "selected", optionId: "y" } },
    }),
    update("tool_call", {
      toolCallId: "w",
      title: `Edit ${words}`,
      kind: "edit",
      status: "completed",
      content: [
        { type: "diff", path: `/src/${words}`, oldText: "a\nb\nc\n", newText: `a\n${words}\nc\n` },
        { type: "content", content: text(`output ${words}`) },
      ],
    }),
    update("compaction_update", { compactionId: "c", status: "completed", summary: [text(`sum ${words}`)] }),
    say(`Done ${words}`),
    end(),
    prompt(`Again ${words}`),
    end({ error: { code: -1, message: `no ${words}` } }),
  ];
}

/** Returns the session's record as it is then. */
export async function written(
  store: Store,
  entries: readonly NewEntry[],
  { title = "Totals", id }: { readonly title?: string; readonly id?: SessionId } = {},
): Promise<SessionRecord> {
  const registry = new SessionRegistry({ store, now: () => startMs });
  const agent = { info: { name: "agent", title: "An Agent", version: "1.2" } };
  const { id: made } = await registry.create({ cwd: "/project", title, agent }, id);
  const { journal } = await registry.open(made);
  for (let at = 0; at < entries.length; at += 500) await journal.seal(entries.slice(at, at + 500));
  await journal.release();
  const record = await registry.get(made);
  await registry.close();
  return record;
}
