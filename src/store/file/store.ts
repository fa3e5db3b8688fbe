/** Sessions as files in a directory, one journal each, for any number of processes. */
import { realpathSync, rmSync } from "node:fs";
import path from "node:path";
import type { SessionId } from "../../base/ids.ts";
import type {
  Acquired,
  Entry,
  EntryRange,
  Lease,
  LeaseRequest,
  NewEntry,
  NewSession,
  Page,
  SealRange,
  SessionFilter,
  SessionPatch,
  SessionQuery,
  SessionRecord,
  Store,
  StoreStats,
} from "../contract.ts";
import type { Awaitable } from "../../base/awaitable.ts";
import type { StoreDriver } from "../driver.ts";
import { decodeCursor, matches, pageOf } from "../query.ts";
import { sessionNotFound } from "../refusals.ts";
import { checkReadOn } from "../rules.ts";
import { defineStore } from "../shell.ts";
import { Catalogue } from "./catalogue.ts";
import { storeError } from "./errors.ts";
import { Layout } from "./layout.ts";
import { appear, collect, deleteSession, enterInParent, prepareSession } from "./lifecycle.ts";
import { OpenFiles } from "./open-files.ts";
import { readPages } from "./reading.ts";
import { rewrite } from "./rewrite.ts";
import { Rotations } from "./rotation.ts";
import type { SessionFile } from "./session-file.ts";
import { recordOf, type JournalState } from "./state.ts";
import { Syncer } from "./syncer.ts";
import * as writes from "./writes.ts";

interface FileStoreOptions {
  readonly directory: string;
  /** Bytes of final or replaced entries in a journal at which it is rotated; 4 MiB unless told. */
  readonly rotateBytes?: number;
  /** Journals held open at once; 128, or a quarter of what the system allows, unless told. */
  readonly maxOpenFiles?: number;
}

/** Behind the first page, a list may be this old: it is the same list that it would have been then. */
const laterPagesMs = 500;

/**
 * Opens a directory as a store and creates it if need be. Errors: `STORE_READONLY`, `STORE_UNAVAILABLE`,
 * `STORE_SCHEMA_NEWER`, `STORE_CORRUPT` when `format.json` is not ours.
 */
export async function openFileStore(options: FileStoreOptions): Promise<Store> {
  const layout = new Layout(path.resolve(options.directory));
  try {
    layout.prepare();
  } catch (error) {
    throw storeError(error, layout.root);
  }
  return defineStore(new FileDriver(layout, options));
}

class FileDriver implements StoreDriver {
  readonly name = "file";
  readonly changesMetadata = true;
  readonly capabilities = { persistent: true, shared: true, survivesPowerLoss: true };
  readonly #layout: Layout;
  readonly #open: OpenFiles;
  readonly #catalogue: Catalogue;
  readonly #syncer: Syncer;
  readonly #rotations: Rotations;

  constructor(layout: Layout, { rotateBytes, maxOpenFiles }: FileStoreOptions) {
    this.#layout = layout;
    this.#rotations = new Rotations(layout.root, rotateBytes ?? 4 << 20);
    this.#open = new OpenFiles(maxOpenFiles);
    this.#catalogue = new Catalogue(layout, this.#open);
    this.#syncer = new Syncer(this.#open);
  }

  async create(session: NewSession): Promise<SessionRecord> {
    const { id, lineage } = session;
    const prepared = prepareSession(this.#layout, this.#open, session);
    try {
      if (lineage !== undefined) {
        this.#takeOver(enterInParent(this.#catalogue, id, lineage));
        // A fork may survive a power cut before it is synced: then so must what it inherits.
        await this.#syncer.flush();
      }
      const file = appear(this.#layout, this.#catalogue, id, prepared);
      this.#takeOver(file);
      return recordOf(viewed(file));
    } finally {
      rmSync(prepared, { recursive: true, force: true });
    }
  }

  get(id: SessionId): SessionRecord | undefined {
    const state = this.#catalogue.find(id)?.known;
    return state === undefined || state.deleted ? undefined : recordOf(state);
  }

  update(id: SessionId, patch: SessionPatch, lease?: Lease): Awaitable<SessionRecord> {
    return this.#write(id, { patch, lease }, (file, given) => writes.update(file, given.patch, given.lease));
  }

  delete(id: SessionId, lease?: Lease): Awaitable<boolean> {
    const own = lease && { ...lease };
    const file = this.#catalogue.file(id);
    this.#syncer.changed(this.#layout.shard(id));
    // Its journal says that it is deleted, where it stays for forks.
    this.#syncer.wrote(file);
    return file.inOrder(id, () => deleteSession(this.#layout, this.#catalogue, id, own));
  }

  async list(query: SessionQuery): Promise<Page<SessionRecord>> {
    if (query.cursor !== undefined) decodeCursor(query.cursor);
    await this.#validate(query.cursor === undefined ? 0 : laterPagesMs);
    const unreadable = this.#catalogue.unreadableFor(query);
    const page = pageOf(this.#catalogue.records(), query);
    return unreadable.length === 0 ? page : { ...page, unreadable };
  }

  async count(filter: SessionFilter): Promise<number> {
    await this.#validate();
    let found = 0;
    for (const record of this.#catalogue.records()) if (matches(record, filter)) found += 1;
    return found;
  }

  append(id: SessionId, after: number, entries: readonly NewEntry[], lease: Lease): Awaitable<number> {
    return this.#write(id, { entries, lease }, (file, given) =>
      writes.append(file, after, given.entries, given.lease),
    );
  }

  seal(id: SessionId, range: SealRange, entries: readonly NewEntry[], lease: Lease): Awaitable<number> {
    return this.#write(id, { range, entries, lease }, (file, given) => {
      const head = writes.seal(file, given.range, given.entries, given.lease);
      this.#rotations.consider(file);
      return head;
    });
  }

  rewrite(id: SessionId, from: number, entries: readonly NewEntry[], lease: Lease): Promise<void> {
    const file = this.#catalogue.known(id) ?? this.#catalogue.find(id);
    if (file === undefined) throw sessionNotFound(id);
    this.#syncer.wrote(file);
    const given = { from, entries: entries.map((entry) => ({ ...entry })), lease: { ...lease } };
    return file.holdingUp(() => rewrite(file, given));
  }

  async *read(id: SessionId, { from, through }: Required<EntryRange>): AsyncGenerator<readonly Entry[]> {
    const find = (each: SessionId) => this.#catalogue.find(each);
    const file = find(id);
    if (file === undefined) throw sessionNotFound(id);
    const { headSeq, sealedSeq } = viewed(file);
    for await (const page of readPages(find, file, { from, through: Math.min(through, headSeq) })) {
      checkReadOn(id, { sealedSeq, given: page.at(-1)?.seq ?? 0 }, viewed(file).sealedSeq);
      yield page;
    }
  }

  acquire(id: SessionId, request: LeaseRequest): Awaitable<Acquired> {
    return this.#write(id, request, (file, given) => {
      this.#takeOver(file);
      return writes.acquire(file, given);
    });
  }

  renew(lease: Lease): Awaitable<Lease> {
    return this.#write(lease.sessionId, lease, writes.renew);
  }

  release(lease: Lease): Awaitable<void> {
    const file = this.#catalogue.find(lease.sessionId);
    return file?.inOrder(lease, (own) => writes.release(file, own));
  }

  flush(): Promise<void> {
    return this.#syncer.flush();
  }

  async stats(): Promise<StoreStats> {
    await this.#validate();
    const { details, ...figures } = this.#catalogue.figures();
    const { done: rotations, lastFailure } = this.#rotations;
    const failure = lastFailure === undefined ? {} : { lastRotationFailure: lastFailure };
    return { ...figures, details: { ...details, rotations, ...failure } };
  }

  identity(): string {
    return `file:${realpathSync(this.#layout.root)}`;
  }

  async close(): Promise<void> {
    await this.#rotations.close();
    this.#open.close();
  }

  toStoreError(error: unknown): unknown {
    return storeError(error, this.#layout.root);
  }

  #write<Given, T>(id: SessionId, given: Given, act: (file: SessionFile, given: Given) => T): Awaitable<T> {
    const file = this.#catalogue.known(id) ?? this.#catalogue.find(id);
    if (file === undefined) throw sessionNotFound(id);
    return file.inOrder(given, (own) => {
      this.#syncer.wrote(file);
      return act(file, own);
    });
  }

  /**
   * Whoever wrote it may have died before that was synced: the next sync is of all of it. What it inherits was synced
   * before it was made.
   */
  #takeOver(file: SessionFile): void {
    this.#syncer.wrote(file);
    for (const each of [file.directory, this.#layout.shard(file.id), this.#layout.sessions])
      this.#syncer.changed(each);
  }

  async #validate(maxAgeMs = 0): Promise<void> {
    await this.#catalogue.validate(maxAgeMs);
    for (const file of this.#catalogue.deleted()) collect(this.#layout, this.#catalogue, file);
  }
}

function viewed(file: SessionFile): JournalState {
  const state = file.view();
  if (state === undefined) throw sessionNotFound(file.id);
  return state;
}
