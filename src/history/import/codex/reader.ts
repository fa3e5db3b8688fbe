/** The histories of Codex: a file of lines for each session, by its day; older ones compressed. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isSidecarError } from "../../../base/errors.ts";
import { objectIn } from "../../../base/json.ts";
import { filesBelow, stampOf, startOf, type FoundFile } from "../files.ts";
import { guarded } from "../guarded.ts";
import { bytesOf, linesOf } from "../lines.ts";
import type { HistoryReader, NativeBatch, NativeFacts, NativeSession, Report } from "../native.ts";
import { recordIn, recordOf, textIn } from "../records.ts";
import { titleFrom } from "../scribe.ts";
import { CodexConversation } from "./conversation.ts";

const agent = { info: { name: "@agentclientprotocol/codex-acp", title: "Codex" } };

/** `rollout-2026-03-01T10-00-00-<id>.jsonl` */
const fileForm = /^rollout-.{1,40}?-([0-9a-f]{8}-[0-9a-f-]{27})\.jsonl(?:\.zst)?$/;

export const codex: HistoryReader = {
  places(env) {
    const base = env["CODEX_HOME"] ?? join(env["HOME"] ?? "", ".codex");
    return [join(base, "sessions"), join(base, "archived_sessions")];
  },

  async *sessions(place, report) {
    const titles = new Map<string, string>();
    readTitles(join(dirname(place), "session_index.jsonl"), titles);
    readTitles(join(place, "session_index.jsonl"), titles);
    for (const file of filesBelow(place, { file: (name) => fileForm.test(name) }, report)) {
      const [, nativeId] = fileForm.exec(file.name) ?? [];
      if (nativeId === undefined) continue;
      const forkOf = parentIn(await startOfRollout(file), nativeId);
      yield sessionOf(file, { nativeId, forkOf }, titles.get(nativeId));
    }
  },
};

/** What the first line says of a session may be long: instructions stand in it. */
const startBytes = 64 << 10;

async function startOfRollout(file: FoundFile): Promise<string> {
  if (!file.name.endsWith(".zst")) return startOf(file, startBytes);
  const { unpacked } = await import("./zst.ts");
  try {
    for await (const piece of unpacked(file.path))
      return Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString("utf8", 0, startBytes);
  } catch (error) {
    if (isSidecarError(error)) throw error;
    // Whoever reads all of it says what is wrong.
  }
  return "";
}

/** A fork says so; older ones only repeat what their parent's first line was, behind their own. */
function parentIn(start: string, nativeId: string): string | undefined {
  const [first = "", second = ""] = start.split("\n", 2);
  const told = /"forked_from_id"\s?:\s?"([\w-]{1,100})"/.exec(first)?.[1];
  const line = told === undefined ? (objectIn(second) ?? {}) : {};
  const payload = textIn(line, "type") === "session_meta" ? recordIn(line, "payload") : undefined;
  const parent = told ?? (payload && textIn(payload, "id"));
  return parent === nativeId ? undefined : parent;
}

function sessionOf(
  file: FoundFile,
  ids: Pick<NativeSession, "nativeId" | "forkOf">,
  title: string | undefined,
): NativeSession {
  return {
    source: "codex",
    ...ids,
    path: file.path,
    stamp: stampOf([file]),
    modifiedAtMs: file.modifiedAtMs,
    bytes: file.bytes,
    read: (report) => batches(file, title, report),
  };
}

async function* batches(
  { path, bytes: size }: FoundFile,
  title: string | undefined,
  report: Report,
): AsyncGenerator<NativeBatch> {
  const conversation = new CodexConversation();
  const { scribe } = conversation;
  const facts = (): NativeFacts => ({
    cwd: conversation.cwd,
    title: title ?? conversation.title,
    agent,
    createdAtMs: scribe.firstMs,
    updatedAtMs: scribe.lastMs || undefined,
  });
  const isPacked = path.endsWith(".zst");
  const pieces = isPacked ? (await import("./zst.ts")).unpacked(path) : bytesOf(path);
  for await (const { lines, bytes } of linesOf(pieces, path, report)) {
    for (const line of lines) {
      const fields = recordOf(line, path, report);
      if (fields !== undefined) guarded(path, line.number, report, () => conversation.take(fields));
    }
    yield { entries: scribe.taken(), facts: facts(), bytes: isPacked ? 0 : bytes };
  }
  conversation.end();
  yield { entries: scribe.taken(), facts: facts(), bytes: isPacked ? size : 0, tail: scribe.tail() };
}

/** The names that threads were given, the last one of each. A session without one is named by its first words. */
function readTitles(path: string, titles: Map<string, string>): void {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return;
  }
  for (const line of text.split("\n")) {
    // A name that cannot be read names nothing.
    const fields = objectIn(line) ?? {};
    const [id, title] = [textIn(fields, "id"), titleFrom(textIn(fields, "thread_name") ?? "")];
    if (id !== undefined && title !== undefined) titles.set(id, title);
  }
}
