/** The histories of opencode: a database, and before that a folder of files; both may be there, and then the newer counts. */
import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { isSidecarError, reasonOf } from "../../../base/errors.ts";
import { familiesOf, type Family } from "../families.ts";
import { filesIn } from "../files.ts";
import { guarded } from "../guarded.ts";
import type { HistoryReader, NativeBatch, NativeFacts, NativeSession, Report } from "../native.ts";
import { OpencodeConversation } from "./conversation.ts";
import { openDatabase } from "./database.ts";
import type { Keeping, KeptSession } from "./kept.ts";
import { Storage } from "./storage.ts";

const agent = { info: { name: "OpenCode" } };

/** Subagents ask subagents; nobody asks deeper. */
const maxDepth = 5;

export const opencode: HistoryReader = {
  places(env) {
    return [join(env["XDG_DATA_HOME"] ?? join(env["HOME"] ?? "", ".local", "share"), "opencode")];
  },

  async *sessions(place, report) {
    const isDatabase = (name: string) => /^opencode[\w.-]*\.db$/.test(name);
    const isFile = statSync(place, { throwIfNoEntry: false })?.isFile() === true;
    const databases = isFile ? [place] : filesIn(place, isDatabase, report).map(({ path }) => path);
    for (const path of databases) yield* sessionsOf((told) => openDatabase(path, told), path, report);
    const storage = basename(place) === "storage" ? place : join(place, "storage");
    if (!isFile) yield* sessionsOf(async (told) => new Storage(storage, told), storage, report);
  },
};

type Open = (report: Report) => Promise<Keeping>;

async function* sessionsOf(open: Open, path: string, report: Report): AsyncGenerator<NativeSession> {
  let keeping: Keeping | undefined;
  const found: NativeSession[] = [];
  try {
    keeping = await open(report);
    const sessions = new Map(keeping.sessions().map((session) => [session.id, session]));
    for (const family of familiesOf([...sessions.values()])) {
      const members = [family.root, ...family.subagents];
      const stamp = members.map((each) => keeping?.stampOf(each)).join("+");
      const modifiedAtMs = members.reduce((last, each) => Math.max(last, each.updatedAtMs), 0);
      const bytes = keeping.bytesOf(family.root.id);
      found.push(nativeOf(family, { stamp, bytes, path, modifiedAtMs }, open));
    }
  } catch (error) {
    if (isSidecarError(error)) throw error;
    report({ path, reason: `cannot be read: ${reasonOf(error)}` });
  } finally {
    keeping?.close();
  }
  yield* found;
}

function nativeOf(
  { root, subagents }: Family<KeptSession>,
  file: Pick<NativeSession, "stamp" | "bytes" | "path" | "modifiedAtMs">,
  open: Open,
): NativeSession {
  return {
    source: "opencode",
    nativeId: root.id,
    ...file,
    async *read(report) {
      const keeping = await open(report);
      try {
        yield* new Reading(keeping, root, subagents, report).batches();
      } finally {
        keeping.close();
      }
    },
  };
}

class Reading {
  readonly #keeping: Keeping;
  readonly #session: KeptSession;
  readonly #report: Report;
  readonly #conversation: OpencodeConversation;
  /** Of subagents, those that have not been told. */
  readonly #children: Map<string, KeptSession>;

  constructor(keeping: Keeping, session: KeptSession, children: readonly KeptSession[], report: Report) {
    this.#keeping = keeping;
    this.#session = session;
    this.#report = report;
    this.#conversation = new OpencodeConversation(session);
    this.#children = new Map(children.map((each) => [each.id, each]));
  }

  *batches(): Generator<NativeBatch> {
    const { scribe } = this.#conversation;
    for (const _ of this.#tell(this.#session.id, undefined, 0)) yield this.#batch();
    // Asked by somebody who did not say so, or deeper than anybody asks.
    for (const id of [...this.#children.keys()]) for (const _ of this.#child(id, 1)) yield this.#batch();
    this.#conversation.finish();
    yield { ...this.#batch(), tail: scribe.tail() };
  }

  *#tell(
    id: string,
    child: ReturnType<OpencodeConversation["announce"]> | undefined,
    depth: number,
  ): Generator<void> {
    for (const message of this.#keeping.messages(id)) {
      const take = () => this.#conversation.take(message, { child });
      const asked = guarded(`${this.#keeping.path}:${message.id}`, undefined, this.#report, take) ?? [];
      yield;
      for (const each of asked) yield* this.#child(each, depth + 1);
    }
  }

  *#child(id: string, depth: number): Generator<void> {
    const session = this.#children.get(id);
    if (session === undefined || depth > maxDepth) return;
    this.#children.delete(id);
    yield* this.#tell(id, this.#conversation.announce(id, session), depth);
  }

  #batch(): NativeBatch {
    const { scribe, title } = this.#conversation;
    const { directory, createdAtMs, updatedAtMs } = this.#session;
    const entries = scribe.taken();
    const facts: NativeFacts = { cwd: directory, title, agent, createdAtMs, updatedAtMs };
    return { entries, facts, bytes: entries.reduce((sum, { data }) => sum + data.length, 0) };
  }
}
