/** Search over all conversations: what is looked for, the index of the store, and what is found. */
import { ahead } from "../../base/ahead.ts";
import { SidecarError } from "../../base/errors.ts";
import { toSessionId, type SessionId } from "../../base/ids.ts";
import { spellingsOf } from "../../session/folders.ts";
import type { SessionRegistry } from "../../session/registry.ts";
import { catchUp, type CaughtUp } from "./catch-up.ts";
import { searchRoles, type SearchRole } from "./entry-text.ts";
import { Hits, type FoundSession } from "./hits.ts";
import { IndexDoor, type IndexPlace } from "./index-door.ts";
import { matchOf } from "./match-text.ts";
import { goOn, paceOf, restingPace } from "./pace.ts";
import { parseQuery, type Query } from "./query.ts";
import type { Asked, IndexState, TextIndex } from "../../store/text-index.ts";

export interface SearchOptions {
  /** Only sessions of this folder, by whichever spelling. */
  readonly cwd?: string;
  /** Only sessions of an agent whose name has this in it. */
  readonly agent?: string;
  readonly role?: SearchRole;
  /** Only what was said at or after this instant, and before that one. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Only this session. */
  readonly in?: SessionId;
  /** Archived sessions, too; unless told only with `in`. */
  readonly archived?: boolean;
  /** What does not count any more after a rewind, too. */
  readonly superseded?: boolean;
  /** At most so many hits; 20 unless told. */
  readonly limit?: number;
  /** At most so many of each session; 3 unless told, all with `in`. */
  readonly perSession?: number;
}

export interface SearchResult {
  /** Those with the newest activity first. */
  readonly sessions: readonly FoundSession[];
  /** There are others. */
  readonly isMore: boolean;
  /** Messages that were indexed for this search. */
  readonly indexed: number;
  /** Sessions that are damaged and could not be read. */
  readonly unread: readonly SessionId[];
}

export type SearchPlace = IndexPlace;

const [defaultLimit, greatestLimit, defaultPerSession] = [20, 1000, 3];
/** A claim on idle moments outlives the longest step. */
const claimMs = 30_000;
/** So many sessions are looked at before it is known whether they are wanted. */
const sessionsAhead = 4;

/** A store's index, opened with the first search. One search runs at a time. */
export class Searcher {
  readonly #registry: SessionRegistry;
  readonly #door: IndexDoor;

  constructor(registry: SessionRegistry, place: SearchPlace = {}) {
    this.#registry = registry;
    this.#door = new IndexDoor(registry, place);
  }

  /**
   * Finds messages with all the words. The index is brought up to date first; made anew where it is damaged. Errors:
   * `INVALID_QUERY`, `INVALID_PARAMS`, `STORE_…`, `REQUEST_CANCELLED` once `signal` is aborted.
   */
  async search(text: string, options: SearchOptions = {}, signal?: AbortSignal): Promise<SearchResult> {
    const query = parseQuery(text);
    check(options);
    return this.#door.with((index) => this.#search(index, query, options, signal));
  }

  /** Brings the index up to date, for the next search to be quick. Errors: `STORE_…`, `REQUEST_CANCELLED`. */
  async catchUp(signal?: AbortSignal): Promise<CaughtUp> {
    return this.#door.with((index) => catchUp(this.#registry, index, { pace: paceOf(signal) }));
  }

  /** What is known of a kept index as it is; undefined where there is none. Errors: `STORE_…`. */
  async state(): Promise<IndexState | undefined> {
    return (await this.#door.isThere()) ? this.#door.with(async (index) => index.state()) : undefined;
  }

  /** The next search reads the session anew: others than it has indexed stand there now. Errors: `STORE_…`. */
  async forget(id: SessionId): Promise<void> {
    return this.#door.with(async (index) => index.drop([id]));
  }

  /**
   * The same while nothing else is to be done, with a rest after each step, for an index that is there and kept; not
   * while another process does it. Errors: as `catchUp`.
   */
  async catchUpIdly(signal: AbortSignal, restMs: number): Promise<void> {
    if (!(await this.#door.isThere())) return;
    await this.#door.with(async (index) => {
      if (this.#door.isInMemory || (await index.claim?.(claimMs)) === false) return;
      const pace = restingPace(restMs, signal);
      const rest = async () => {
        await pace.rest();
        await index.claim?.(claimMs);
      };
      try {
        await catchUp(this.#registry, index, { pace: { ...pace, rest } });
      } finally {
        await index.claim?.(0);
      }
    });
  }

  /** Settles when all that was asked for has ended. */
  close(): Promise<void> {
    return this.#door.close();
  }

  async #search(
    index: TextIndex,
    query: Query,
    options: SearchOptions,
    signal: AbortSignal | undefined,
  ): Promise<SearchResult> {
    const pace = paceOf(signal);
    const found = await catchUp(this.#registry, index, { pace });
    const { stale, ...first } = await this.#found(index, query, options, signal);
    if (stale === 0) return { ...first, indexed: found.messages, unread: found.unread };
    // What is not there any more was deleted, or the store was restored.
    const again = await catchUp(this.#registry, index, { all: true, pace });
    const { stale: _, ...second } = await this.#found(index, query, options, signal);
    return { ...second, indexed: found.messages + again.messages, unread: again.unread };
  }

  async #found(index: TextIndex, query: Query, options: SearchOptions, signal: AbortSignal | undefined) {
    const limit = Math.min(options.limit ?? defaultLimit, greatestLimit);
    const { role, sinceMs, untilMs } = options;
    const filter = {
      ...(role !== undefined && { role }),
      ...(sinceMs !== undefined && { sinceMs }),
      ...(untilMs !== undefined && { untilMs }),
    };
    const hits = new Hits(this.#registry, {
      query,
      filter,
      superseded: options.superseded ?? false,
      archived: options.archived ?? options.in !== undefined,
      perSession: options.perSession ?? (options.in === undefined ? defaultPerSession : limit),
    });
    const sessions: FoundSession[] = [];
    let left = limit;
    const candidates = index.candidates(askedOf(query, options, filter));
    for await (const session of ahead(candidates, sessionsAhead, (each) => hits.in(each, limit))) {
      goOn(signal);
      if (session === undefined) continue;
      if (left === 0) return { sessions, isMore: true, stale: hits.stale };
      const isMore = session.isMore || session.hits.length > left;
      sessions.push({ ...session, hits: session.hits.slice(0, left), isMore });
      left = Math.max(0, left - session.hits.length);
    }
    const isMore = sessions.some((session) => session.isMore);
    return { sessions, isMore, stale: hits.stale };
  }
}

/** Searches once. Whoever searches often keeps a `Searcher`. Errors: as `Searcher.search`. */
export async function searchSessions(
  registry: SessionRegistry,
  query: string,
  { cacheFolder, ...options }: SearchOptions & SearchPlace = {},
): Promise<SearchResult> {
  const searcher = new Searcher(registry, { cacheFolder });
  try {
    return await searcher.search(query, options);
  } finally {
    await searcher.close();
  }
}

function askedOf(
  query: Query,
  { cwd, agent, in: id, sinceMs }: SearchOptions,
  filter: Parameters<typeof matchOf>[1],
): Asked {
  return {
    ...matchOf(query, filter),
    ...(id !== undefined && { id }),
    ...(cwd !== undefined && { folders: spellingsOf(cwd) }),
    ...(agent !== undefined && { agent }),
    ...(sinceMs !== undefined && { activeSinceMs: sinceMs }),
  };
}

function check({ role, limit, perSession, in: id }: SearchOptions): void {
  if (id !== undefined) toSessionId(id);
  if (role !== undefined && !searchRoles.includes(role)) {
    throw new SidecarError(
      "INVALID_PARAMS",
      `role is ${JSON.stringify(role)}; allowed: ${searchRoles.join(", ")}`,
    );
  }
  for (const [name, value] of Object.entries({ limit, perSession })) {
    if (value === undefined || (Number.isSafeInteger(value) && value > 0)) continue;
    throw new SidecarError(
      "INVALID_PARAMS",
      `${name} is ${JSON.stringify(value)}; allowed: a whole number above 0`,
    );
  }
}
