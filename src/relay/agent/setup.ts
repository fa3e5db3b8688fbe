/** What an agent is told of a session that it sets up: folders, MCP servers, instructions, fields that we do not know. */
import type { AgentRun } from "../../agent/supervisor.ts";
import { meaningOf } from "../../acp/entries.ts";
import { isRecord } from "../../base/json.ts";
import { wireText } from "../../rpc/messages.ts";
import type { SessionRecord } from "../../store/contract.ts";
import type { RelayContext } from "../context.ts";
import type { LiveSession } from "../live/session.ts";

type Params = Readonly<Record<string, unknown>>;

/** A client's params of `session/new` and its kin, without what this agent did not say that it takes. */
export function takenBy(run: AgentRun, params: Params): Params {
  const { additionalDirectories, ...others } = params;
  const hasMore = Array.isArray(additionalDirectories) && additionalDirectories.length > 0;
  return hasMore && run.can.directories ? params : others;
}

/** What this agent needs to know of a session that is not new to the client. */
export async function setupParams(ctx: RelayContext, live: LiveSession, run: AgentRun): Promise<Params> {
  const { cwd, additionalDirectories } = live.record;
  const { systemPrompt = null, ...setup } = live.setup;
  const instructions =
    systemPrompt ?? (run.can.systemPrompt ? await keptSystemPrompt(ctx, live.record) : undefined);
  const given = { ...setup, cwd, ...(instructions !== undefined && { systemPrompt: instructions }) };
  return takenBy(run, { ...given, additionalDirectories });
}

/**
 * What makes one setup another. Not the folder, which is the session's, nor `_meta`: that may name the single request.
 */
export function setupKey({ sessionId: _id, cwd: _cwd, _meta, ...params }: Params): string {
  const isSaid = ([, value]: [string, unknown]) =>
    value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
  const said = Object.entries(params).filter(isSaid);
  return wireText(said.sort(([a], [b]) => (a < b ? -1 : 1))) ?? "";
}

/** As the protocol has them, or as a text, which some clients send. */
export function isInstructions(value: unknown): boolean {
  return isRecord(value) || typeof value === "string";
}

/**
 * Keeps the instructions that a client gives with a session in its journal, and where they stand in its record: records
 * are read by the page. To be called in the outbound lane.
 */
export async function keepSystemPrompt(
  ctx: RelayContext,
  live: LiveSession,
  method: string,
  { systemPrompt }: Params,
): Promise<void> {
  if (!isInstructions(systemPrompt)) return;
  const data = wireText({ method, params: { systemPrompt } });
  const kept = await keptSystemPrompt(ctx, live.record);
  if (data === undefined || wireText({ kept }) === wireText({ kept: systemPrompt })) return;
  // Sealed: from here on it keeps its place.
  await live.journal.seal([{ kind: "setting", atMs: Date.now(), data }]);
  await live.update({ settings: { ...live.record.settings, systemPromptSeq: live.journal.headSeq } });
}

/** The instructions that a client gave with the session. */
export async function keptSystemPrompt(
  { registry }: RelayContext,
  { id, settings }: SessionRecord,
): Promise<unknown> {
  const { systemPromptSeq: seq } = settings;
  if (seq === undefined) return undefined;
  for await (const page of registry.read(id, { from: seq, through: seq })) {
    for (const entry of page) {
      const meaning = meaningOf(entry);
      if (meaning.type === "setting") return meaning.params.systemPrompt;
    }
  }
  return undefined;
}
