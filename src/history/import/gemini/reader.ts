/** The histories of Gemini CLI: a file for each session in a folder for each project; older ones are one document of JSON. */
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isRecord } from "../../../base/json.ts";
import { bytesIn, filesBelow, filesIn, modifiedLast, stampOf, startOf, type FoundFile } from "../files.ts";
import { guarded } from "../guarded.ts";
import { bytesOf, linesOf, maxLineBytes } from "../lines.ts";
import type { HistoryReader, NativeBatch, NativeFacts, NativeSession, Report } from "../native.ts";
import { recordOf } from "../records.ts";
import { GeminiConversation } from "./conversation.ts";
import { Subagents } from "./subagents.ts";
import { Projects } from "./projects.ts";

const agent = { info: { name: "gemini-cli", title: "Gemini CLI" } };

export const gemini: HistoryReader = {
  places(env) {
    return [join(env["GEMINI_CLI_HOME"] ?? env["HOME"] ?? "", ".gemini", "tmp")];
  },

  async *sessions(place, report) {
    const projects = new Projects();
    const isSession = (name: string) => name.startsWith("session-") && /\.jsonl?$/.test(name);
    for (const file of filesBelow(place, { file: isSession }, report)) {
      const session = sessionOf(file, projects, report);
      if (session !== undefined) yield session;
    }
  },
};

function sessionOf(file: FoundFile, projects: Projects, report: Report): NativeSession | undefined {
  const nativeId = idIn(file);
  if (nativeId === undefined) {
    report({ path: file.path, reason: "does not say which session it is" });
    return undefined;
  }
  const chats = dirname(file.path);
  const cwd = basename(chats) === "chats" ? projects.folderOf(chats) : undefined;
  const isPlain = /^[\w-]{1,200}$/.test(nativeId);
  const subagents = isPlain ? filesIn(join(chats, nativeId), (name) => name.endsWith(".jsonl"), report) : [];
  const files = [file, ...subagents];
  return {
    source: "gemini",
    nativeId,
    path: file.path,
    stamp: stampOf(files),
    modifiedAtMs: modifiedLast(files),
    bytes: bytesIn(files),
    read: (told) => batches({ nativeId, file, subagents, cwd }, told),
  };
}

/** The file's name has only a part of it. It stands near the beginning, whichever form the file has. */
function idIn(file: FoundFile): string | undefined {
  return /"sessionId"\s{0,9}:\s{0,9}"([^"\\\0-\x1f]{1,200})"/.exec(startOf(file, 4096))?.[1];
}

interface Found {
  readonly nativeId: string;
  readonly file: FoundFile;
  readonly subagents: readonly FoundFile[];
  readonly cwd: string | undefined;
}

async function* batches(
  { nativeId, file, subagents, cwd }: Found,
  report: Report,
): AsyncGenerator<NativeBatch> {
  const { path } = file;
  const guard = (take: () => void) => guarded(path, undefined, report, take);
  const asked = new Subagents(nativeId, guard);
  for (const each of subagents) await asked.read(each, report);
  const conversation = new GeminiConversation(asked, guard);
  const { scribe } = conversation;
  const facts = (): NativeFacts => ({
    cwd: cwd ?? conversation.directory,
    title: conversation.name,
    agent,
    createdAtMs: scribe.firstMs,
    updatedAtMs: scribe.lastMs || undefined,
  });
  if (path.endsWith(".json")) whole(file, conversation, report);
  else {
    for await (const { lines, bytes } of linesOf(bytesOf(path), path, report)) {
      for (const line of lines) {
        const record = recordOf(line, path, report);
        if (record !== undefined) guarded(path, line.number, report, () => conversation.take(record));
      }
      yield { entries: scribe.taken(), facts: facts(), bytes };
    }
  }
  conversation.end();
  const bytes = bytesIn(subagents) + (path.endsWith(".json") ? file.bytes : 0);
  yield { entries: scribe.taken(), facts: facts(), bytes, tail: scribe.tail() };
}

function whole({ path, bytes }: FoundFile, conversation: GeminiConversation, report: Report): void {
  if (bytes > maxLineBytes) return report({ path, reason: `is longer than ${maxLineBytes} bytes` });
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (isRecord(value)) guarded(path, undefined, report, () => conversation.take(value));
    else report({ path, reason: "is no JSON object" });
  } catch {
    report({ path, reason: "is no JSON" });
  }
}
