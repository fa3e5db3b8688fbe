/** A session as a text for people, programs or another store. Streaming: no more than a page of entries is held. */
import { noAudit } from "../../audit/audit.ts";
import { tidyUp } from "../../base/heap.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Entry, SessionRecord } from "../../store/contract.ts";
import { charsIn } from "../../session/pages.ts";
import type { SessionRegistry } from "../../session/registry.ts";
import { countedPages, toldPages, type Sessions } from "../counted.ts";
import type { Writer } from "./exported.ts";
import { exportFormatFrom, type ExportFormat } from "./formats.ts";
import { Redaction } from "./redaction.ts";

export interface ExportOptions {
  /** Unless told: `markdown`. */
  readonly format?: ExportFormat;
  /** Without what looks like a secret. */
  readonly redact?: boolean;
  /** What the agent thought, for people: unless told, in Markdown and HTML, folded. */
  readonly thoughts?: boolean;
  /** Also what a rewind superseded, marked as such; a bundle always has it. */
  readonly superseded?: boolean;
}

const writers: Readonly<Record<ExportFormat, () => Promise<Writer>>> = {
  markdown: async () => (await import("./markdown.ts")).markdownOf,
  html: async () => (await import("./html.ts")).htmlOf,
  json: async () => (await import("./data.ts")).jsonOf,
  jsonl: async () => (await import("./data.ts")).jsonlOf,
  bundle: async () => (await import("./bundle.ts")).bundleOf,
};

/** Pieces are handed on when they have this much: many small ones would cost more than what is in them. */
const pieceChars = 1 << 16;

/** What was written leaves as much behind; the heap would grow by it before anybody looked. */
const tidyEachChars = 32 << 20;

/** The text of one session, piece by piece, and what was taken out of it. */
export class SessionExport implements AsyncIterable<string> {
  readonly record: SessionRecord;
  readonly format: ExportFormat;
  readonly #sessions: Sessions;
  readonly #options: ExportOptions;
  readonly #redaction: Redaction | undefined;

  constructor(sessions: Sessions, record: SessionRecord, options: ExportOptions = {}) {
    this.format = exportFormatFrom(options.format ?? "markdown");
    this.#sessions = sessions;
    this.#options = options;
    this.#redaction = options.redact === true ? new Redaction() : undefined;
    this.record = this.#redaction?.record(record) ?? record;
  }

  /** In how many places something was taken out, of what has been written so far. */
  get redactions(): number {
    return this.#redaction?.places ?? 0;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    let piece = "";
    for await (const text of this.texts()) {
      piece += text;
      if (piece.length < pieceChars) continue;
      yield piece;
      piece = "";
    }
    if (piece !== "") yield piece;
  }

  /** The same as it is made, in pieces of any size: for whoever joins them as bytes. */
  texts(): AsyncIterable<string> {
    const { audit = noAudit } = this.#sessions;
    const facts = { format: this.format };
    return audit.whole({ what: "session.export", session: this.record.id, facts }, this.#texts());
  }

  async *#texts(): AsyncGenerator<string> {
    await this.#sessions.sharing?.require(this.record.id, "export");
    const { thoughts = true, superseded: withSuperseded = false } = this.#options;
    const write = await writers[this.format]();
    const superseded = await this.#sessions.superseded(this.record.id);
    const telling = { superseded, withSuperseded: withSuperseded || this.format === "bundle" };
    const rewinds = withSuperseded ? (this.record.settings.rewinds ?? []) : [];
    const isToTheLetter = this.format === "jsonl" || this.format === "bundle";
    const pagesOf = isToTheLetter ? countedPages : toldPages;
    const pages = this.#redacted(pagesOf(this.#sessions, this.record, telling));
    yield* write({ record: this.record, pages, thoughts, superseded, rewinds });
  }

  async *#redacted(pages: AsyncIterable<readonly Entry[]>): AsyncGenerator<readonly Entry[]> {
    const redaction = this.#redaction;
    let untidyChars = 0;
    for await (const page of pages) {
      yield redaction === undefined ? page : page.map((entry) => redaction.entry(entry));
      untidyChars += charsIn(page);
      if (untidyChars < tidyEachChars) continue;
      tidyUp(untidyChars);
      untidyChars = 0;
    }
  }
}

/**
 * A session to be written wherever the caller likes: `for await (const text of await exportSession(registry, id))`.
 * Errors: `SESSION_NOT_FOUND`, `INVALID_PARAMS`; `STORE_…` while it is read.
 */
export async function exportSession(
  sessions: Sessions & Pick<SessionRegistry, "get">,
  id: SessionId,
  options: ExportOptions = {},
): Promise<SessionExport> {
  return new SessionExport(sessions, await sessions.get(id), options);
}
