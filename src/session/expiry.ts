/** The end of sessions that nobody uses: idle ones are no longer live, old ones go, and leave the trash in the end. */
import { defaults } from "../config/options.ts";
import { loggedReason } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import { Interval } from "../base/interval.ts";
import type { Logger } from "../base/log.ts";
import type { Events } from "./events.ts";
import type { LiveSet } from "./live.ts";
import type { Originals } from "./originals.ts";
import type { Removal } from "./removal.ts";
import type { Trash } from "./trash.ts";

interface ExpiryOptions {
  readonly removal: Removal;
  readonly trash: Trash;
  readonly originals: Originals;
  readonly live: LiveSet;
  readonly events: Events;
  readonly log: Logger;
  readonly idleTimeoutMs: number;
  readonly retentionMs?: number;
  readonly trashMs: number;
}

export class Expiry {
  readonly #options: ExpiryOptions;
  #rounds: Interval | undefined;

  constructor(options: ExpiryOptions) {
    this.#options = options;
  }

  start(intervalMs: number): void {
    this.#rounds ??= new Interval(intervalMs, () => this.sweep());
  }

  async stop(): Promise<void> {
    await this.#rounds?.close();
  }

  /** One round. Failures are logged. */
  async sweep(): Promise<void> {
    const { removal, trash, originals, retentionMs, trashMs, log } = this.#options;
    // Where nothing more goes into the trash, what is there already has its time.
    const keptMs = trashMs || defaults.trashMs;
    try {
      const idle = await this.#detachIdle();
      const expired = retentionMs === undefined ? 0 : await removal.expire(retentionMs);
      const deleted = await trash.round(keptMs);
      const forgotten = await originals.round(keptMs);
      const found = {
        idle,
        expired,
        ...(deleted > 0 && { deletedFromTrash: deleted }),
        ...(forgotten > 0 && { forgottenOriginals: forgotten }),
      };
      if (idle + expired + deleted + forgotten > 0) log.info(found, "swept sessions");
    } catch (error) {
      log.error({ error: loggedReason(error, log) }, "sweeping sessions failed");
    }
  }

  /** Returns how many sessions are no longer live. A hook that finds one busy touches it: then it stays. */
  async #detachIdle(): Promise<number> {
    const { live, events, log, idleTimeoutMs } = this.#options;
    const idle = live.idleFor(idleTimeoutMs);
    for (const id of idle) {
      try {
        await events.ask("idle", { id });
        if (live.isIdleFor(id, idleTimeoutMs)) live.remove(id);
      } catch (error) {
        log.error({ sessionId: id, error: loggedReason(error, log) }, "an idle session could not be let go");
      }
    }
    return idle.filter((id: SessionId) => !live.has(id)).length;
  }
}
