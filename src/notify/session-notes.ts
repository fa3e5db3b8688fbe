/**
 * What is about to be done to sessions and somebody wants to know: a small file for each, from before it is done until
 * it is in the outbox for all whom it is for. When a process is killed in between, the next one tells it. A file only
 * grows, a line at a time, so that no kill leaves half of what it said before.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { makeDirectory } from "../base/disk.ts";
import { reasonOf, systemCodeOf } from "../base/errors.ts";
import { isSessionId, newId, type SessionId } from "../base/ids.ts";
import { isRecord, objectIn } from "../base/json.ts";
import type { Logger } from "../base/log.ts";
import { elsewhereMs, isGone, thisOwner, uselessMs, type Owner } from "../base/owner.ts";
import { hookEvents, type Hook, type HookEvent } from "../config/structures.ts";
import type { NotedEnd, NotedEvent, NoteTaker, SessionNews } from "../session/events.ts";
import type { SessionRecord } from "../store/contract.ts";
import { toldBy, type SessionNote } from "./facts.ts";
import { addressOf } from "./letter.ts";

export interface SessionNotesParts {
  /** Of letters. */
  readonly folder: string;
  /** The store's: processes know each other's notes by it. */
  readonly url: string;
  /** What the store has, whoever may see it. Errors: `STORE_…`. */
  readonly stored: (id: SessionId) => Promise<SessionRecord | undefined>;
  readonly hooks: readonly Hook[];
  readonly log: Logger;
  /** All processes together leave no more there. */
  readonly mostNotes?: number;
}

const eventOf = {
  create: "session.created",
  archive: "session.archived",
  expire: "session.expired",
  end: "session.ended",
} as const satisfies Record<NotedEvent, HookEvent>;

const defaultMostNotes = 10_000;
/** How often that is counted. */
const countedEach = 64;
const ownerOnly = 0o600;

export class SessionNotes implements NoteTaker {
  readonly stored: SessionNotesParts["stored"];
  readonly #folder: string;
  readonly #store: string;
  readonly #most: number;
  readonly #log: Logger;
  readonly #own = thisOwner();
  readonly #to: ReadonlyMap<HookEvent, readonly string[]>;
  readonly #byNews = new WeakMap<SessionNews, SessionNote>();
  #begun = 0;
  #there = 0;

  constructor({ folder, url, stored, hooks, log, mostNotes = defaultMostNotes }: SessionNotesParts) {
    this.#folder = path.join(folder, "sessions");
    this.#store = createHash("sha256").update(url).digest("hex").slice(0, 12);
    this.stored = stored;
    this.#most = mostNotes;
    this.#to = new Map(
      hookEvents.map((event) => [event, hooks.filter(({ on }) => on.includes(event)).map(addressOf)]),
    );
    this.#log = log;
  }

  /** At once. Failures are logged: then it is told unless this process is killed. */
  begin(type: NotedEvent, sessionId: SessionId): NotedEnd | undefined {
    const event = eventOf[type];
    const to = this.#to.get(event) ?? [];
    if (to.length === 0) return undefined;
    const note: SessionNote = { id: newId(), event, sessionId, to };
    const isNoted = this.#try(() => {
      if (!this.#hasRoom()) return false;
      const text = lineOf({ ...note, owner: this.#own });
      fs.writeFileSync(this.#fileOf(note), text, { mode: ownerOnly, flag: "wx" });
      return true;
    });
    return isNoted === true ? (news) => this.#end(note, news) : undefined;
  }

  /** The note of what a follower is told. */
  of(news: SessionNews): SessionNote | undefined {
    return this.#byNews.get(news);
  }

  /** It is in the outbox for these. */
  told(note: SessionNote, by: readonly string[]): void {
    const others = note.to.filter((each) => !by.includes(each));
    if (others.length === 0) this.drop(note);
    else this.#add(note, { to: others });
  }

  /** Nothing more is to be told of it. */
  drop(note: SessionNote): void {
    this.#try(() => fs.rmSync(this.#fileOf(note), { force: true }));
  }

  /** What processes that are gone have left for those who are told here, the oldest first. Errors: the system's own. */
  async *left(): AsyncGenerator<SessionNote> {
    const here = new Set([...this.#to.values()].flat());
    for (const name of await this.#names()) {
      const note = await this.#leftIn(name);
      if (note?.to.some((each) => here.has(each)) === true) yield note;
    }
  }

  #end(note: SessionNote, news: SessionNews | undefined): void {
    if (news === undefined) return this.drop(note);
    this.#add(note, { facts: toldBy(news)[0]?.facts ?? {} });
    this.#byNews.set(news, note);
  }

  #add(note: SessionNote, more: Partial<SessionNote>): void {
    this.#try(() => fs.appendFileSync(this.#fileOf(note), lineOf(more), { mode: ownerOnly }));
  }

  #hasRoom(): boolean {
    if (this.#begun % countedEach === 0) {
      makeDirectory(this.#folder);
      this.#there = fs.readdirSync(this.#folder).length;
    }
    if (this.#there >= this.#most) {
      this.#begun = 0;
      this.#log.error({}, "the outbox is full: what is done is told only if this process lives on");
      return false;
    }
    this.#begun += 1;
    this.#there += 1;
    return true;
  }

  /** Undefined for one of another store or of a process that lives, and for what is none. */
  async #leftIn(name: string): Promise<SessionNote | undefined> {
    const file = path.join(this.#folder, name);
    try {
      const ageMs = Date.now() - (await stat(file)).mtimeMs;
      const found = noteIn(await readFile(file, "utf8"));
      const gone = found && (isGone(found.owner, this.#own) ?? ageMs > elsewhereMs);
      if (gone !== false && ageMs > uselessMs) fs.rmSync(file, { force: true });
      return gone === true && name === path.basename(this.#fileOf(found.note)) ? found.note : undefined;
    } catch (error) {
      // Another process has told it by now.
      if (systemCodeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  async #names(): Promise<readonly string[]> {
    try {
      return (await readdir(this.#folder)).sort();
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  #fileOf({ id }: SessionNote): string {
    return path.join(this.#folder, `${this.#store}-${id}.jsonl`);
  }

  #try<T>(act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      const reason = systemCodeOf(error) ?? reasonOf(error);
      this.#log.error({ reason }, "the outbox of what is to be told cannot be used");
      return undefined;
    }
  }
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/** The first line and what others have added. Undefined for what is none, or was not whole when its process was killed. */
function noteIn(text: string): { readonly note: SessionNote; readonly owner: Owner } | undefined {
  const lines = text.split("\n").map((line) => objectIn(line) ?? {});
  const note = lines.reduce((all, line) => ({ ...all, ...line }), {});
  const { id, event, sessionId, to, owner, facts = {} } = note;
  const isNote =
    isSessionId(id) &&
    hookEvents.some((each) => each === event) &&
    isSessionId(sessionId) &&
    Array.isArray(to) &&
    isRecord(facts);
  const isOwner =
    isRecord(owner) &&
    typeof owner.pid === "number" &&
    [owner.startedAt, owner.space].every((each) => typeof each === "string");
  if (!isNote || !isOwner) return undefined;
  return { note: note as unknown as SessionNote, owner: owner as unknown as Owner };
}
