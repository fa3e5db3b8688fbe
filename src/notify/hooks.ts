/** Hooks: whoever is configured is told what happens to sessions here. */
import { loggedReason, reasonOf, systemCodeOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Counting } from "../base/meter.ts";
import { Queue } from "../base/queue.ts";
import { RecentMap } from "../base/recent-map.ts";
import { textOf } from "../acp/content.ts";
import type { Config } from "../config/config.ts";
import type { Hook, Structures } from "../config/structures.ts";
import type { SessionNews } from "../session/events.ts";
import { messagesOf } from "../session/messages.ts";
import type { SessionRegistry } from "../session/registry.ts";
import { derivedIdAt, newId, timeIn, type SessionId } from "../base/ids.ts";
import { Courier } from "./courier.ts";
import { toldBy, type SessionNote, type Told } from "./facts.ts";
import { addressOf } from "./letter.ts";
import { doneBy, missedOf } from "./missed.ts";
import type { SessionNotes } from "./session-notes.ts";
import type { LeftNote, TurnNotes } from "./turn-notes.ts";

export interface HookParts {
  readonly config: Structures & Pick<Config, "encryptionKey">;
  /** What content is read from. */
  readonly registry: Pick<SessionRegistry, "find" | "get" | "read">;
  /** By which it is known what a killed process has journaled and not told. They see what happens before it is told here. */
  readonly notes?: TurnNotes | undefined;
  /** The same of what is done to sessions. */
  readonly sessions?: SessionNotes | undefined;
  readonly log: Logger;
  readonly meter?: Counting;
  /** Where letters wait; see `outboxOf`. */
  readonly folder: string;
  readonly withheld?: readonly string[];
  readonly backoffMs?: number;
  /** Takes secrets that we were given out of what was said. */
  readonly hide?: (text: string) => string;
}

/** Of the answer that a turn ended with. */
const mostChars = 16 << 10;
/** Entries that may make up a turn. */
const mostEntries = 2000;
/** Events that wait for what was said to be read. */
const mostWaiting = 1000;

export class Hooks {
  readonly #parts: HookParts;
  readonly #courier: Courier;
  readonly #reading = new Queue();
  /** What others have left, one after the other. */
  readonly #missing = new Queue();
  /** What lies in outboxes is noted in the order in which it happened. */
  readonly #putting = new Queue();
  readonly #told = new RecentMap<string, true>(mostWaiting);
  #isClosing = false;

  constructor(parts: HookParts) {
    this.#parts = parts;
    const { hooks = [], alerts = [], encryptionKey } = parts.config;
    const keepsContent = encryptionKey === undefined;
    this.#courier = new Courier({ ...parts, keepsContent, receivers: [...hooks, ...alerts] });
    void this.#courier.takeOver();
    void this.#missing.run(() => this.#tellLeft());
    this.#tellMissed(this.#parts.notes?.left() ?? []);
  }

  /** At once, and nobody waits for what follows. */
  readonly take = (news: SessionNews): void => {
    this.#tellMissed(this.#parts.notes?.takeInTheWay() ?? []);
    const note = this.#parts.sessions?.of(news);
    for (const told of toldBy(news)) void this.#tellAll(note === undefined ? told : { ...told, note });
  };

  /** As the courier's. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    await this.#missing.idle();
    await this.#reading.idle();
    await this.#putting.idle();
    await this.#courier.close(graceMs);
  }

  /** Settles when it is in the outbox for all who want to know. @param to only for this one of them */
  async #tellAll(told: Told, to?: string): Promise<void> {
    const { event, sessionId, atMs, note } = told;
    const hooks = (this.#parts.config.hooks ?? []).filter(
      (hook) => isFor(hook, told) && (to === undefined || addressOf(hook) === to),
    );
    const put = Promise.all(hooks.map((hook) => this.#tell(hook, told)));
    if (atMs !== undefined) this.#told.set(keyOf(told, to), true);
    else if (note === undefined) return;
    // What happened before may still be on its way there.
    await this.#putting.run(async () => {
      await put;
      if (atMs !== undefined) this.#parts.notes?.told(event, sessionId, atMs, to);
      if (note !== undefined) this.#parts.sessions?.told(note, hooks.map(addressOf));
    });
  }

  async #tell(hook: Hook, told: Told): Promise<void> {
    const { event, sessionId, facts } = told;
    const news = { event, sessionId, ...facts };
    const id = idFor(hook, told);
    if (!hook.content || this.#reading.length >= mostWaiting) this.#courier.send(hook, news, id);
    else {
      const content = await this.#reading.run(() => this.#content(told));
      this.#courier.send(hook, { ...news, content }, id);
    }
    await this.#courier.stored();
  }

  /** What was done to sessions, or was to be; the rest as below. */
  async #tellLeft(): Promise<void> {
    const { sessions, log } = this.#parts;
    if (sessions === undefined) return;
    try {
      for await (const note of sessions.left()) {
        if (this.#isClosing) return;
        await this.#tellNoted(note, sessions).catch((error: unknown) => this.#unread(note.sessionId, error));
      }
    } catch (error) {
      const reason = systemCodeOf(error) ?? reasonOf(error);
      log.error({ reason }, "the outbox of what is to be told cannot be used");
    }
  }

  async #tellNoted(note: SessionNote, sessions: SessionNotes): Promise<void> {
    const told = doneBy(note, note.facts === undefined ? await sessions.stored(note.sessionId) : undefined);
    if (told === undefined) sessions.drop(note);
    else await this.#tellAll(told);
  }

  /** What is left alone here, because it cannot be read, is for the next process. */
  #tellMissed(left: readonly LeftNote[]): void {
    const { registry, notes } = this.#parts;
    for (const each of left)
      void this.#missing.run(async () => {
        if (this.#isClosing) return;
        try {
          const { told, ...now } = await missedOf(registry, each);
          for (const one of told) if (!this.#hasTold(one, each.to)) await this.#tellAll(one, each.to);
          notes?.settle(each, now);
        } catch (error) {
          this.#unread(each.sessionId, error);
        }
      });
  }

  #hasTold(told: Told, to: string): boolean {
    return [undefined, to].some((each) => this.#told.get(keyOf(told, each)) === true);
  }

  /** What cannot be read is not told: that something happened is. */
  async #content({ sessionId, content, endSeq }: Told): Promise<unknown> {
    const { registry, hide = (text) => text } = this.#parts;
    const said: Record<string, unknown> = { ...content };
    try {
      const record = await registry.find(sessionId);
      if (record !== undefined) Object.assign(said, { cwd: record.cwd, title: record.title });
      if (endSeq !== undefined) said["text"] = await this.#answer(sessionId, endSeq);
    } catch (error) {
      this.#unread(sessionId, error);
    }
    return JSON.parse(hide(JSON.stringify(said))) as unknown;
  }

  #unread(sessionId: SessionId, error: unknown): void {
    const { log } = this.#parts;
    log.warn({ sessionId, error: loggedReason(error, log) }, "what a hook is to be told cannot be read");
  }

  /** The beginning of what the agent said in the turn. */
  async #answer(id: SessionId, endSeq: number): Promise<string> {
    let text = "";
    const range = { from: Math.max(1, endSeq - mostEntries), through: endSeq };
    for await (const message of messagesOf(this.#parts.registry.read(id, range))) {
      if (message.role === "user") text = "";
      else if (text.length < mostChars) text += textOf(message);
    }
    return text.slice(0, mostChars);
  }
}

/** @param to absent: all who are told here */
function keyOf({ event, sessionId, atMs = 0 }: Told, to = "all"): string {
  return `${event} ${sessionId} ${atMs} ${to}`;
}

/** What lies longer back was brought in, and is told when it is. */
const recentMs = 43_200_000;

/** What was noted is for whom it was noted. */
function isFor(hook: Hook, { event, note }: Told): boolean {
  return hook.on.includes(event) && (note === undefined || note.to.includes(addressOf(hook)));
}

/** The same, whoever tells it. */
function idFor(hook: Hook, { event, sessionId, atMs, facts, note }: Told): string {
  if (note !== undefined) return derivedIdAt(timeIn(note.id), note.id, addressOf(hook));
  const ageMs = Date.now() - (atMs ?? -Infinity);
  if (atMs === undefined || ageMs > recentMs || ageMs < 0) return newId();
  return derivedIdAt(atMs, event, sessionId, String(facts["toolCallId"]), addressOf(hook));
}
