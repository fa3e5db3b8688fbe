/** The relay's one way to the index of search: loaded when it is first needed, closed when the relay is. */
import { isSidecarError, loggedReason } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import type { Searcher, SearchOptions, SearchResult } from "../history/search/search.ts";
import type { SessionRegistry } from "../session/registry.ts";
import { IdleMoments } from "./idle-moments.ts";

/** When nobody has searched for so long, the index is closed. */
const closeAfterMs = 60_000;
/** In idle moments one core works a fifth of the time: a step takes some 40 ms. */
const restMs = 160;
const quietMs = 10_000;

export interface SearchingParts {
  readonly registry: SessionRegistry;
  readonly cacheFolder?: string | undefined;
  readonly log: Logger;
  /** A turn runs. */
  readonly isBusy: () => boolean;
  /** After so much quiet the index is brought up to date. */
  readonly indexAfterMs?: number | undefined;
}

export class Searching {
  readonly #parts: SearchingParts;
  readonly #running = new Set<{ readonly by: SessionId | undefined; readonly end: AbortController }>();
  /** When an index that is there is brought up to date without being asked. */
  readonly idle: IdleMoments;
  #searcher: Promise<Searcher> | undefined;

  constructor(parts: SearchingParts) {
    this.#parts = parts;
    const { isBusy, indexAfterMs = quietMs } = parts;
    this.idle = new IdleMoments({ quietMs: indexAfterMs, isBusy, act: (signal) => this.#catchUp(signal) });
  }

  /**
   * @param by the session that asks, if one does: see `giveUp`. Errors: `INVALID_QUERY`, `INVALID_PARAMS`, `STORE_…`,
   * `REQUEST_LIMIT`, `REQUEST_CANCELLED` when it is not waited for any more.
   */
  async search(
    query: string,
    options: SearchOptions,
    { signal, by }: { readonly signal: AbortSignal; readonly by?: SessionId },
  ): Promise<SearchResult> {
    const search = { by, end: new AbortController() };
    this.#running.add(search);
    try {
      const searcher = await this.#opened();
      return await searcher.search(query, options, AbortSignal.any([signal, search.end.signal]));
    } finally {
      this.#running.delete(search);
    }
  }

  /** What the session looks for is not waited for. */
  giveUp(by: SessionId): void {
    for (const search of this.#running) if (search.by === by) search.end.abort();
  }

  /** What is being looked for ends at its next step. */
  async close(): Promise<void> {
    this.idle.close();
    for (const { end } of this.#running) end.abort();
    const searcher = await this.#searcher?.catch(() => undefined);
    await searcher?.close();
  }

  #opened(): Promise<Searcher> {
    const { registry, cacheFolder } = this.#parts;
    this.#searcher ??= import("../history/search/search.ts").then(
      ({ Searcher }) => new Searcher(registry, { cacheFolder, closeAfterMs }),
    );
    return this.#searcher;
  }

  /** What fails here is found again by whoever searches. */
  async #catchUp(signal: AbortSignal): Promise<void> {
    const { log } = this.#parts;
    try {
      await (await this.#opened()).catchUpIdly(signal, restMs);
    } catch (error) {
      if (isSidecarError(error, "REQUEST_CANCELLED")) return;
      log.warn({ error: loggedReason(error, log) }, "the index of search could not be brought up to date");
    }
  }
}
