/** What is found and read of sessions: the half of the registry that changes nothing. */
import { isSessionId, type SessionId } from "../base/ids.ts";
import { given } from "../store/arguments.ts";
import type { AgentFacts, Entry, EntryRange, Page, SessionRecord, Store } from "../store/contract.ts";
import type { TextIndex } from "../store/text-index.ts";
import { sessionNotFound } from "../store/refusals.ts";
import { resolveAddress, shownSessions, type Addressed } from "./address.ts";
import { countShown, listShown, type Archived, type CountFilter, type ListQuery } from "./archived.ts";
import { HiddenRecords, isGone, whyHidden } from "./hidden.ts";
import { messagesOf, type Message } from "./messages.ts";
import type { PassOver } from "./pages.ts";
import { readCounting, supersededOf, type Stretch } from "./rewinds.ts";

export class SessionFinder {
  readonly hidden: HiddenRecords;
  readonly #store: Store;
  readonly #passOver: PassOver;
  readonly identity = (): Promise<string | undefined> => this.#store.identity(); // see `Store`
  readonly changeMark = async (): Promise<string | undefined> => this.#store.changeMark?.();
  readonly textIndex = (): Promise<TextIndex | undefined> => this.#store.textIndex();

  constructor(store: Store, passOver: PassOver) {
    [this.#store, this.#passOver] = [store, passOver];
    this.hidden = new HiddenRecords(store);
  }

  /** A copy that cannot change the store. Errors: `SESSION_NOT_FOUND`. */
  async get(id: SessionId): Promise<SessionRecord> {
    const record = await this.peek(id);
    if (record === undefined) throw sessionNotFound(id);
    return record;
  }

  async exists(id: SessionId): Promise<boolean> {
    return (await this.peek(id)) !== undefined;
  }

  async peek(id: SessionId): Promise<SessionRecord | undefined> {
    const record = await this.#store.get(id);
    return record !== undefined && isGone(record) ? undefined : record;
  }

  /** The session that is meant by an id: ours, or one that this agent (any, unless told) knows or knew it by. */
  async find(id: string, agent?: AgentFacts): Promise<SessionRecord | undefined> {
    given.id(id as SessionId);
    const own = isSessionId(id) ? await this.#store.get(id) : undefined;
    if (own !== undefined && whyHidden(own) === undefined) return own;
    return this.hidden.findVisible(id, agent);
  }

  /**
   * The session that a person means: by id, or by a part of it; `last` is the newest of these folders. Errors:
   * `SESSION_NOT_FOUND`, `SESSION_AMBIGUOUS`, `INVALID_PARAMS` for an entry that is not there.
   */
  resolve(
    address: string,
    folders: readonly string[] = [process.cwd()],
    archived?: Archived,
  ): Promise<Addressed> {
    return resolveAddress(address, shownSessions(this.#store, folders, archived, this.#passOver));
  }

  /** What was said and counts, in order, in these entries or in all. Errors: `SESSION_NOT_FOUND`. */
  async *messages(id: SessionId, range?: EntryRange): AsyncIterable<Message> {
    yield* messagesOf(this.counting(id, range));
  }

  /** Entries in order, by pages, without those that do not count. Errors: as `read`. */
  async *counting(id: SessionId, range?: EntryRange): AsyncGenerator<readonly Entry[]> {
    yield* readCounting(this.#store, await this.get(id), range);
  }

  /** The entries that do not count after rewinds, as stretches in order; as it was when `seq` was the last one. Errors: `SESSION_NOT_FOUND`. */
  async superseded(id: SessionId, seq?: number): Promise<readonly Stretch[]> {
    const record = await this.get(id);
    return supersededOf(this.#store, record, seq ?? record.headSeq);
  }

  /** Entries in order, by pages. Errors: `SESSION_NOT_FOUND`; `STORE_CONFLICT` as `Store.read`. */
  read(id: SessionId, range?: EntryRange): AsyncIterable<readonly Entry[]> {
    return this.#store.read(id, range);
  }

  /** Newest activity first. Archived ones only if asked for. What cannot be read stands in `unreadable`, and `count` has it. */
  async list(query: ListQuery = {}): Promise<Page<SessionRecord>> {
    const page = await listShown(this.#store, given.query(query));
    for (const each of page.unreadable ?? []) this.#passOver(each);
    return page;
  }

  async count(filter: CountFilter = {}): Promise<number> {
    return countShown(this.#store, given.query(filter));
  }
}
