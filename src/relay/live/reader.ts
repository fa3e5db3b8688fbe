/**
 * A session that is only read, followed: what another process writes to it is shown within half a second. The store is
 * asked for the record, and for entries only when there are new ones. Loaded when something is read so.
 */
import { isSidecarError, loggedReason } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { pause } from "../../base/time.ts";
import type { Following } from "../../session/following.ts";
import type { ReplayedState } from "../../session/replay-options.ts";
import { View } from "../../session/replay.ts";
import type { Entry, SessionRecord } from "../../store/contract.ts";
import { commandsUpdate } from "../commands/offered.ts";
import type { RelayContext } from "../context.ts";
import type { Attachment } from "./attachments.ts";
import { ownWords } from "./own-words.ts";

/** A look costs a read of one record. While much is said it is worth more of them. */
const [oftenMs, seldomMs, oftenForMs] = [250, 500, 10_000];
/** A store that does not answer is asked less often. */
const failedMs = 5000;

const noLongerThere =
  "This session is no longer shared with you, or was deleted: what is said in it is not shown here any more.";
const wentBack =
  "The conversation went back to an earlier place. Load the session again to see it as it is now.";
const errorsOfOurEnd = ["SESSION_NOT_FOUND", "TOKEN_INVALID", "STORE_CLOSED"] as const;

export class Reader {
  readonly #ctx: RelayContext;
  readonly #id: SessionId;
  readonly #attachment: Attachment;
  readonly #following: Following;
  readonly #ending = new AbortController();
  #state: ReplayedState = new Map();
  #view: View;
  #busyUntilMs = performance.now() + oftenForMs;
  #isFailing = false;
  #ended: Promise<void> | undefined;

  constructor(ctx: RelayContext, id: SessionId, attachment: Attachment, following: Following) {
    [this.#ctx, this.#id, this.#attachment, this.#following] = [ctx, id, attachment, following];
    this.#view = this.#newView();
  }

  /** Shows what is new in it. Errors: `STORE_…`. */
  async show(record: SessionRecord): Promise<void> {
    const fresh = await this.#following.take(record);
    if (fresh === undefined || fresh.length === 0) return;
    this.#busyUntilMs = performance.now() + oftenForMs;
    for (const turn of turnsOf(fresh)) {
      const texts = await this.#view.show(turn);
      const state = [...this.#state].filter(([kind]) => kind !== commandsUpdate).map(([, text]) => text);
      const back = turn.some(({ kind }) => kind === "rewind") ? [ownWords(wentBack)] : [];
      await this.#attachment.sendStored([...texts, ...state, ...back]);
      this.#state.clear();
      if (turn.at(-1)?.kind === "end") this.#view = this.#newView();
    }
  }

  /** Nothing goes on in it: what has not ended never will. */
  async showEnd(): Promise<void> {
    const texts = this.#view.finish();
    this.#view = this.#newView();
    if (texts.length > 0) await this.#attachment.sendStored(texts);
  }

  follow(): void {
    this.#ended ??= this.#run();
  }

  async close(words?: string): Promise<void> {
    this.#ending.abort();
    await this.#ended;
    if (words !== undefined) await this.#attachment.sendStored([ownWords(words)]);
  }

  #newView(): View {
    const { capabilities } = this.#attachment.client.facts ?? {};
    return new View(this.#state, { capabilities, isAtRest: true }, (from) =>
      this.#ctx.registry.read(this.#id, { from }),
    );
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const quietMs = performance.now() < this.#busyUntilMs ? oftenMs : seldomMs;
      await pause(this.#isFailing ? failedMs : quietMs, signal);
      if (signal.aborted || !(await this.#look())) return;
    }
  }

  /** Whether there is more to come. */
  async #look(): Promise<boolean> {
    try {
      const record = await this.#ctx.registry.get(this.#id);
      await this.show(record);
      this.#isFailing = false;
      return true;
    } catch (error) {
      if (isSidecarError(error, ...errorsOfOurEnd)) {
        if (!this.#ending.signal.aborted) await this.#attachment.sendStored([ownWords(noLongerThere)]);
        return false;
      }
      this.#noteFailure(error);
      return true;
    }
  }

  #noteFailure(error: unknown): void {
    const { log } = this.#ctx;
    if (!this.#isFailing)
      log.warn(
        { sessionId: this.#id, error: loggedReason(error, log) },
        "a session that is read cannot be followed",
      );
    this.#isFailing = true;
  }
}

/** Each with its end. */
function turnsOf(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const turns: Entry[][] = [[]];
  for (const entry of entries) {
    turns.at(-1)?.push(entry);
    if (entry.kind === "end") turns.push([]);
  }
  return turns.filter((turn) => turn.length > 0);
}
