/** Which files a conversation is about: those that the agent was shown or has written, as its entries tell. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { isRecord, objectIn } from "../base/json.ts";
import type { Entry, NewEntry } from "../store/contract.ts";
import { compactedFrom } from "../acp/compacted.ts";
import { lastHeardMark } from "../acp/last-heard.ts";
import { diffsOf, type CallFields } from "../session/call-parts.ts";
import { keepLast, setLast } from "./latest.ts";
import { filesOfCall, toldPath } from "./told-path.ts";

export interface ToldFile {
  /** `written`: by the agent, or by a tool of it. */
  readonly how: "read" | "written";
  /** Of all that it was shown, or has written, as UTF-8; absent where only a part is known. */
  readonly sha256?: string;
  /** The entry that tells of it, and when that was. */
  readonly seq: number;
  readonly atMs: number;
  /** It was there then: it was read, or a tool has shown what it wrote. */
  readonly wasThere?: true;
}

interface Asked {
  readonly path: string;
  /** Not only some lines of it. */
  readonly isWhole: boolean;
  /** By a request to write: what is told of the file since, and what was before. */
  readonly written?: ToldFile | undefined;
  readonly before?: ToldFile | undefined;
}

type Telling = Omit<ToldFile, "seq" | "atMs">;
type Told = Pick<Entry, "seq" | "kind" | "atMs" | "data">;

/** The agent's own requests of files may be answered by an editor from what nobody has saved yet. */
const readMethod = "fs/read_text_file";
const writeMethod = "fs/write_text_file";
/** So many that have no answer yet. */
const mostAsked = 1_000;
/** Those told of longest ago are forgotten. */
export const mostFiles = 2_000;

export class ToldFiles {
  /** By path, the one told of last at the end. */
  readonly files = new Map<string, ToldFile>();
  /** Requests without an answer, by their ids. */
  readonly #asked = new Map<string, Asked>();

  readonly #cwd: string;
  #seq = 0;
  /** What was read and written has made room for a note, and nobody knows its hash. */
  #isCompacted = false;
  #atMs = 0;

  /** @param cwd the session's folder, which is what relative paths are below */
  constructor(cwd: string) {
    this.#cwd = cwd;
  }

  take({ seq, kind, atMs, data }: Told): void {
    if (!mayTell(kind, data)) return;
    const fields = objectIn(data);
    if (fields === undefined) return;
    [this.#seq, this.#isCompacted] = [seq, compactedFrom({ data }) !== undefined];
    const { [lastHeardMark]: lastMs } = fields;
    this.#atMs = typeof lastMs === "number" ? Math.max(lastMs, atMs) : atMs;
    this.#take(kind, fields);
    keepLast(this.files, mostFiles);
  }

  #take(kind: NewEntry["kind"], fields: Readonly<Record<string, unknown>>): void {
    if (kind === "update") return this.#update(fields);
    if (kind === "prompt") return this.#prompt(fields);
    return kind === "request" ? this.#request(fields) : this.#response(fields);
  }

  #update({ update }: Readonly<Record<string, unknown>>): void {
    if (!isRecord(update)) return;
    const { sessionUpdate, kind, status } = update;
    if (sessionUpdate !== "tool_call" && sessionUpdate !== "tool_call_update") return;
    const call: CallFields = update;
    const isDone = status === "completed";
    // One that failed, or waits to be allowed, has not written.
    const diffs = isDone ? diffsOf(call) : [];
    const changes = isDone && ["edit", "delete", "move"].includes(String(kind));
    const written = new Set(diffs.map(({ path }) => path));
    // What was taken away, or has moved, is shown as a diff without a text, too.
    const filled = new Set(diffs.flatMap(({ path, newText }) => (newText === "" ? [] : [path])));
    for (const path of filesOfCall(call).slice(-mostFiles)) {
      const how = changes || written.has(path) ? "written" : "read";
      const wasThere = (isDone && kind === "read") || (leavesFile(kind) && filled.has(path));
      this.#tell(this.#fileAt(path), { how, ...(wasThere && { wasThere }) });
    }
  }

  #prompt({ prompt }: Readonly<Record<string, unknown>>): void {
    for (const block of Array.isArray(prompt) ? prompt.slice(-mostFiles) : []) {
      if (!isRecord(block)) continue;
      const { resource } = block;
      const uri = block.type === "resource" && isRecord(resource) ? resource.uri : block.uri;
      const path = typeof uri === "string" ? pathOf(uri) : undefined;
      const text = isRecord(resource) ? resource.text : undefined;
      if (path !== undefined)
        this.#tell(path, { how: "read", ...(typeof text === "string" && hashed(text)) });
    }
  }

  #request({ id, method, params }: Readonly<Record<string, unknown>>): void {
    if (!isRecord(params) || typeof params.path !== "string") return;
    const { content, line, limit } = params;
    const path = this.#fileAt(params.path);
    const before = this.files.get(path);
    const isWrite = method === writeMethod;
    // What has no answer yet may have been written.
    if (isWrite) this.#tell(path, { how: "written", ...this.#hashOf(content) });
    const isWhole = (line === undefined || line === null) && (limit === undefined || limit === null);
    const asked = { path, isWhole, ...(isWrite && { written: this.files.get(path), before }) };
    if (this.#asked.size < mostAsked) this.#asked.set(JSON.stringify(id), asked);
  }

  #response({ id, result, error, failed }: Readonly<Record<string, unknown>>): void {
    const key = JSON.stringify(id);
    const asked = this.#asked.get(key);
    this.#asked.delete(key);
    if (asked === undefined) return;
    // Our own journals say no more of an error than that there was one.
    const isRefused = failed === true || isRecord(error);
    if ("written" in asked) return isRefused ? this.#takeBack(asked) : undefined;
    if (!isRecord(result) || typeof result.content !== "string") return;
    this.#tell(asked.path, {
      how: "read",
      wasThere: true,
      ...(asked.isWhole && this.#hashOf(result.content)),
    });
  }

  /** Nothing was written. */
  #takeBack({ path, written, before }: Asked): void {
    if (written === undefined || this.files.get(path) !== written) return;
    if (before === undefined) this.files.delete(path);
    else this.files.set(path, before);
  }

  #fileAt(said: string): string {
    return toldPath(said, this.#cwd);
  }

  #hashOf(text: unknown): { readonly sha256?: string } {
    return typeof text === "string" && !this.#isCompacted ? hashed(text) : {};
  }

  /** A folded call stands where it began, and may have gone on longer than what came after it. */
  #tell(path: string, telling: Telling): void {
    const before = this.files.get(path);
    if (before !== undefined && before.atMs > this.#atMs) return;
    setLast(this.files, path, { ...telling, seq: this.#seq, atMs: this.#atMs });
  }
}

function leavesFile(kind: unknown): boolean {
  return kind !== "delete" && kind !== "move";
}

/** Nearly no entry does, and to look costs less than to parse. */
function mayTell(kind: NewEntry["kind"], data: string): boolean {
  switch (kind) {
    case "update":
      return data.includes('"tool_call');
    case "prompt":
      return data.includes('"uri"');
    case "request":
      return data.includes(readMethod) || data.includes(writeMethod);
    case "response":
      return data.includes(readMethod) || data.includes(writeMethod);
    default:
      return false;
  }
}

/** Undefined for what is no file of this machine. */
function pathOf(uri: string): string | undefined {
  try {
    return uri.startsWith("file:") ? fileURLToPath(uri) : undefined;
  } catch {
    return undefined;
  }
}

function hashed(text: string): { readonly sha256: string } {
  return { sha256: createHash("sha256").update(text).digest("hex") };
}
