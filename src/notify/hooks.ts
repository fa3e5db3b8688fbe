/** Hooks: whoever is configured is told what happens to sessions here. */
import { loggedReason } from "../base/errors.ts";
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
import { derivedIdAt, newId, type SessionId } from "../base/ids.ts";
import { Courier } from "./courier.ts";
import { toldBy, type Told } from "./facts.ts";
import { addressOf } from "./letter.ts";
import { missedOf } from "./missed.ts";
import type { LeftNote, TurnNotes } from "./turn-notes.ts";

export interface HookParts {
  readonly config: Structures & Pick<Config, "encryptionKey">;
  /** What content is read from. */
  readonly registry: Pick<SessionRegistry, "find" | "get" | "read">;
  /** By which it is known what a killed process has journaled and not told. They see what happens before it is told here. */
  readonly notes?: TurnNotes | undefined;
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
    this.#tellMissed(this.#parts.notes?.left() ?? []);
  }

  /** At once, and nobody waits for what follows. */
  readonly take = (news: SessionNews): void => {
    this.#tellMissed(this.#parts.notes?.takeInTheWay() ?? []);
    for (const told of toldBy(news)) void this.#tellAll(told);
  };

  /** As the courier's. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    await this.#missing.idle();
    await this.#reading.idle();
    await this.#putting.idle();
    await this.#courier.close(graceMs);
  }

  /** Settles when it is in the outbox for all who want to know. */
  async #tellAll(told: Told): Promise<void> {
    const { event, sessionId, atMs } = told;
    const hooks = (this.#parts.config.hooks ?? []).filter(({ on }) => on.includes(event));
    const put = Promise.all(hooks.map((hook) => this.#tell(hook, told)));
    if (atMs === undefined) return;
    this.#told.set(`${event} ${sessionId} ${atMs}`, true);
    // What happened before may still be on its way there.
    await this.#putting.run(async () => {
      await put;
      this.#parts.notes?.told(event, sessionId, atMs);
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

  /** What is left alone here, because it cannot be read, is for the next process. */
  #tellMissed(left: readonly LeftNote[]): void {
    const { registry, notes, log } = this.#parts;
    for (const each of left)
      void this.#missing.run(async () => {
        if (this.#isClosing) return;
        try {
          const { told, ...now } = await missedOf(registry, each);
          for (const one of told) if (!this.#hasTold(one)) await this.#tellAll(one);
          notes?.settle(each, now);
        } catch (error) {
          const { sessionId } = each;
          log.warn(
            { sessionId, error: loggedReason(error, log) },
            "what a hook is to be told cannot be read",
          );
        }
      });
  }

  #hasTold({ event, sessionId, atMs = 0 }: Told): boolean {
    return this.#told.get(`${event} ${sessionId} ${atMs}`) === true;
  }

  /** What cannot be read is not told: that something happened is. */
  async #content({ sessionId, content, endSeq }: Told): Promise<unknown> {
    const { registry, log, hide = (text) => text } = this.#parts;
    const said: Record<string, unknown> = { ...content };
    try {
      const record = await registry.find(sessionId);
      if (record !== undefined) Object.assign(said, { cwd: record.cwd, title: record.title });
      if (endSeq !== undefined) said["text"] = await this.#answer(sessionId, endSeq);
    } catch (error) {
      log.warn({ sessionId, error: loggedReason(error, log) }, "what a hook is to be told cannot be read");
    }
    return JSON.parse(hide(JSON.stringify(said))) as unknown;
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

/** What lies longer back was brought in, and is told when it is. */
const recentMs = 43_200_000;

/** The same, whoever tells it. */
function idFor(hook: Hook, { event, sessionId, atMs, facts }: Told): string {
  const ageMs = Date.now() - (atMs ?? -Infinity);
  if (atMs === undefined || ageMs > recentMs || ageMs < 0) return newId();
  return derivedIdAt(atMs, event, sessionId, String(facts["toolCallId"]), addressOf(hook));
}
