/** The histories of Gemini CLI: a file for each session in a folder for each project; older ones are one document of JSON. */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isRecord } from "../../../base/json.ts";
import { filesBelow, stampOf, type FoundFile } from "../files.ts";
import { guarded } from "../guarded.ts";
import { bytesOf, linesOf, maxLineBytes } from "../lines.ts";
import type { HistoryReader, NativeBatch, NativeFacts, NativeSession, Report } from "../native.ts";
import { recordOf } from "../records.ts";
import { GeminiConversation } from "./conversation.ts";
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
  return {
    source: "gemini",
    nativeId,
    path: file.path,
    stamp: stampOf([file]),
    modifiedAtMs: file.modifiedAtMs,
    bytes: file.bytes,
    read: (told) => batches(file, cwd, told),
  };
}

/** The file's name has only a part of it. It stands near the beginning, whichever form the file has. */
function idIn({ path }: FoundFile): string | undefined {
  const start = Buffer.alloc(4096);
  const fd = openSync(path, "r");
  try {
    const length = readSync(fd, start, 0, start.length, 0);
    const text = start.toString("utf8", 0, length);
    return /"sessionId"\s{0,9}:\s{0,9}"([^"\\]{1,200})"/.exec(text)?.[1];
  } finally {
    closeSync(fd);
  }
}

async function* batches(
  file: FoundFile,
  cwd: string | undefined,
  report: Report,
): AsyncGenerator<NativeBatch> {
  const conversation = new GeminiConversation();
  const { scribe } = conversation;
  const facts = (): NativeFacts => ({
    cwd: cwd ?? conversation.directory,
    title: conversation.name,
    agent,
    createdAtMs: scribe.firstMs,
    updatedAtMs: scribe.lastMs || undefined,
  });
  const { path } = file;
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
  guarded(path, undefined, report, () => conversation.end());
  const bytes = path.endsWith(".json") ? file.bytes : 0;
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
