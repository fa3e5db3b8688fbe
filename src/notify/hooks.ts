/** Hooks: whoever is configured is told what happens to sessions here. */
import { loggedReason } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Counting } from "../base/meter.ts";
import { Queue } from "../base/queue.ts";
import { textOf } from "../acp/content.ts";
import type { Config } from "../config/config.ts";
import type { Hook, Structures } from "../config/structures.ts";
import type { SessionNews } from "../session/events.ts";
import { messagesOf } from "../session/messages.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { SessionId } from "../base/ids.ts";
import { Courier } from "./courier.ts";
import { toldBy, type Told } from "./facts.ts";

export interface HookParts {
  readonly config: Structures & Pick<Config, "encryptionKey">;
  /** What content is read from. */
  readonly registry: Pick<SessionRegistry, "find" | "read">;
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

  constructor(parts: HookParts) {
    this.#parts = parts;
    const { hooks = [], alerts = [], encryptionKey } = parts.config;
    const keepsContent = encryptionKey === undefined;
    this.#courier = new Courier({ ...parts, keepsContent, receivers: [...hooks, ...alerts] });
    void this.#courier.takeOver();
  }

  /** At once, and nobody waits for what follows. */
  readonly take = (news: SessionNews): void => {
    for (const told of toldBy(news))
      for (const hook of this.#parts.config.hooks ?? [])
        if (hook.on.includes(told.event)) this.#tell(hook, told);
  };

  /** As the courier's. */
  async close(graceMs: number): Promise<void> {
    await this.#reading.idle();
    await this.#courier.close(graceMs);
  }

  #tell(hook: Hook, told: Told): void {
    const { event, sessionId, facts } = told;
    const news = { event, sessionId, ...facts };
    if (!hook.content || this.#reading.length >= mostWaiting) return this.#courier.send(hook, news);
    void this.#reading.run(async () =>
      this.#courier.send(hook, { ...news, content: await this.#content(told) }),
    );
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
