/** The histories of Claude Code: a file of records for each session, and its subagents' beside it. */
import { dirname, join } from "node:path";
import {
  bytesIn,
  fileAt,
  filesBelow,
  filesIn,
  modifiedLast,
  stampOf,
  startOf,
  type FoundFile,
} from "../files.ts";
import { guarded } from "../guarded.ts";
import { bytesOf, linesOf } from "../lines.ts";
import type { HistoryReader, NativeBatch, NativeFacts, NativeSession, Report } from "../native.ts";
import { recordOf } from "../records.ts";
import { ClaudeConversation } from "./conversation.ts";
import { Sidechains } from "./sidechains.ts";

const agent = { info: { name: "@agentclientprotocol/claude-agent-acp", title: "Claude Agent" } };

/** Folders beside a session, in which no session lies. */
const besideSession: ReadonlySet<string> = new Set(["subagents", "tool-results", "workflows"]);

export const claude: HistoryReader = {
  places(env) {
    const base = env["CLAUDE_CONFIG_DIR"] ?? join(env["HOME"] ?? "", ".claude");
    return [join(base, "projects")];
  },

  async *sessions(place, report) {
    const wanted = {
      file: (name: string) => name.endsWith(".jsonl") && !name.startsWith("agent-"),
      folder: (name: string) => !besideSession.has(name),
    };
    for (const file of filesBelow(place, wanted, report)) yield sessionOf(file, report);
  },
};

function sessionOf(file: FoundFile, report: Report): NativeSession {
  const nativeId = file.name.slice(0, -".jsonl".length);
  const folder = file.path.slice(0, -".jsonl".length);
  const isAgent = (name: string) => name.startsWith("agent-") && name.endsWith(".jsonl");
  const agents = filesIn(join(folder, "subagents"), isAgent, report);
  const files = [file, ...agents];
  return {
    source: "claude",
    nativeId,
    forkOf: parentIn(file, nativeId),
    path: file.path,
    stamp: stampOf(files),
    modifiedAtMs: modifiedLast(files),
    bytes: bytesIn(files),
    read: (told) => new Reading(file, folder, agents, told).batches(nativeId),
  };
}

/** A branch repeats the records of the session that it left, and each of them names that. */
function parentIn(file: FoundFile, nativeId: string): string | undefined {
  const start = startOf(file, 64 << 10);
  const parent = /"forkedFrom"\s?:\s?\{\s?"sessionId"\s?:\s?"([\w-]{1,100})"/.exec(start)?.[1];
  return parent === nativeId ? undefined : parent;
}

class Reading {
  readonly #file: FoundFile;
  readonly #folder: string;
  readonly #report: Report;
  /** Those that have not been told yet, by their ids. */
  readonly #agents: Map<string, FoundFile>;
  /** Those that were looked for: each is told once, however many results name it. */
  readonly #asked = new Set<string>();

  constructor(file: FoundFile, folder: string, agents: readonly FoundFile[], report: Report) {
    this.#file = file;
    this.#folder = folder;
    this.#report = report;
    this.#agents = new Map(agents.map((each) => [each.name.slice("agent-".length, -".jsonl".length), each]));
  }

  async *batches(nativeId: string): AsyncGenerator<NativeBatch> {
    const beside = { outputs: join(this.#folder, "tool-results") };
    const conversation = new ClaudeConversation(nativeId, beside);
    const { scribe } = conversation;
    const subagents = new Sidechains(nativeId, scribe, beside);
    const facts = (): NativeFacts => {
      const { cwd, title } = conversation;
      return { cwd, title, agent, createdAtMs: scribe.firstMs, updatedAtMs: scribe.lastMs || undefined };
    };
    const { path } = this.#file;
    for await (const { lines, bytes } of linesOf(bytesOf(path), path, this.#report)) {
      for (const line of lines) {
        const fields = recordOf(line, path, this.#report);
        const ended = fields && guarded(path, line.number, this.#report, () => conversation.take(fields));
        const agentFile = ended === undefined ? undefined : this.#agentFile(ended);
        if (ended === undefined || agentFile === undefined) continue;
        this.#agents.delete(ended);
        for await (const more of this.#agent(agentFile, subagents.begin(ended)))
          yield { entries: scribe.taken(), facts: facts(), bytes: more };
      }
      yield { entries: scribe.taken(), facts: facts(), bytes };
    }
    // Those that were never answered for, as when the turn was interrupted.
    for (const [id, file] of this.#agents) {
      for await (const more of this.#agent(file, subagents.begin(id)))
        yield { entries: scribe.taken(), facts: facts(), bytes: more };
    }
    yield { entries: scribe.taken(), facts: facts(), bytes: 0, tail: scribe.tail() };
  }

  /** Older versions kept them in the project's folder. */
  #agentFile(id: string): FoundFile | undefined {
    if (this.#asked.has(id)) return undefined;
    this.#asked.add(id);
    if (this.#agents.has(id) || !/^[\w-]{1,100}$/.test(id)) return this.#agents.get(id);
    return fileAt(join(dirname(this.#file.path), `agent-${id}.jsonl`), this.#report);
  }

  async *#agent({ path }: FoundFile, subagent: ReturnType<Sidechains["begin"]>): AsyncGenerator<number> {
    for await (const { lines, bytes } of linesOf(bytesOf(path), path, this.#report)) {
      for (const line of lines) {
        const fields = recordOf(line, path, this.#report);
        if (fields !== undefined) guarded(path, line.number, this.#report, () => subagent.take(fields));
      }
      yield bytes;
    }
  }
}
