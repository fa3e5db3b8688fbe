/** The histories of Codex: a file of lines for each thread, by its day; older ones compressed. */
import { join } from "node:path";
import { familiesOf, type Family } from "../families.ts";
import { bytesIn, modifiedLast, stampOf } from "../files.ts";
import { guarded } from "../guarded.ts";
import { linesOf } from "../lines.ts";
import type { HistoryReader, NativeBatch, NativeFacts, NativeSession, Report } from "../native.ts";
import { recordOf } from "../records.ts";
import { Scribe, timeOf } from "../scribe.ts";
import { CodexConversation } from "./conversation.ts";
import { isPacked, piecesOf, rolloutsBelow, titlesBeside, type Rollout } from "./rollouts.ts";
import { Threads } from "./threads.ts";

const agent = { info: { name: "@agentclientprotocol/codex-acp", title: "Codex" } };

export const codex: HistoryReader = {
  places(env) {
    const base = env["CODEX_HOME"] ?? join(env["HOME"] ?? "", ".codex");
    return [join(base, "sessions"), join(base, "archived_sessions")];
  },

  async *sessions(place, report) {
    const titles = titlesBeside(place);
    for (const family of familiesOf(await rolloutsBelow(place, report)))
      yield sessionOf(family, titles.get(family.root.id));
  },
};

function sessionOf(family: Family<Rollout>, title: string | undefined): NativeSession {
  const { file, id: nativeId, forkOf } = family.root;
  const files = [file, ...family.subagents.map((each) => each.file)];
  return {
    source: "codex",
    nativeId,
    forkOf,
    path: file.path,
    stamp: stampOf(files),
    modifiedAtMs: modifiedLast(files),
    bytes: bytesIn(files),
    read: (report) => batches(family, title, report),
  };
}

async function* batches(
  { root, subagents }: Family<Rollout>,
  title: string | undefined,
  report: Report,
): AsyncGenerator<NativeBatch> {
  const { file } = root;
  const scribe = new Scribe();
  const conversation = new CodexConversation(scribe);
  const threads = new Threads(root.id, subagents, scribe, report);
  const facts = (): NativeFacts => ({
    cwd: conversation.cwd,
    title: title ?? conversation.title,
    agent,
    createdAtMs: scribe.firstMs,
    updatedAtMs: scribe.lastMs || undefined,
  });
  const batch = (bytes: number): NativeBatch => ({ entries: scribe.taken(), facts: facts(), bytes });
  try {
    for await (const { lines, bytes } of linesOf(await piecesOf(file), file.path, report)) {
      for (const line of lines) {
        const fields = recordOf(line, file.path, report);
        if (fields === undefined) continue;
        const atMs = timeOf(fields["timestamp"]);
        if (threads.isDue(atMs)) for await (const more of threads.until(atMs)) yield batch(more);
        guarded(file.path, line.number, report, () => conversation.take(fields));
      }
      yield batch(isPacked(file) ? 0 : bytes);
    }
    for await (const more of threads.until(Infinity)) yield batch(more);
  } finally {
    await threads.close();
  }
  conversation.end();
  yield { ...batch(isPacked(file) ? file.bytes : 0), tail: scribe.tail() };
}
