/** Sessions as files in a directory, one journal each, for any number of processes. */
import { rmSync } from "node:fs";
import path from "node:path";
import type { SessionId } from "../../base/ids.ts";
import { decodeCursor, matches, pageOf } from "../query.ts";
import { sealedWhileRead, sessionNotFound, storeClosed } from "../refusals.ts";
import type {
  Acquired,
  Entry,
  EntryRange,
  Lease,
  LeaseRequest,
  NewEntry,
  NewSession,
  Page,
  SessionFilter,
  SessionPatch,
  SessionQuery,
  SessionRecord,
  Store,
  StoreStats,
} from "../contract.ts";
import { Catalogue } from "./catalogue.ts";
import { guarded, storeError } from "./errors.ts";
import { Layout } from "./layout.ts";
import { appear, collect, deleteSession, enterInParent, prepareSession } from "./lifecycle.ts";
import { OpenFiles } from "./open-files.ts";
import { readPages } from "./reading.ts";
import { Rotations } from "./rotation.ts";
import type { SessionFile } from "./session-file.ts";
import { recordOf } from "./state.ts";
import { Syncer } from "./syncer.ts";
import * as writes from "./writes.ts";

export interface FileStoreOptions {
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
  const directory = path.resolve(options.directory);
  const layout = new Layout(directory);
  guarded(directory, () => layout.prepare());
  return new FileStore(layout, options);
}

class FileStore implements Store {
  readonly name = "file";
  readonly capabilities = { persistent: true, shared: true, survivesPowerLoss: true };
  readonly #layout: Layout;
  readonly #open: OpenFiles;
  readonly #catalogue: Catalogue;
  readonly #syncer: Syncer;
  readonly #rotations: Rotations;
  #closed = false;

  constructor(layout: Layout, { rotateBytes, maxOpenFiles }: FileStoreOptions) {
    this.#layout = layout;
    this.#rotations = new Rotations(layout.root, rotateBytes ?? 4 << 20);
    this.#open = new OpenFiles(maxOpenFiles);
    this.#catalogue = new Catalogue(layout, this.#open);
    this.#syncer = new Syncer(layout.root, this.#open);
  }

  async create(session: NewSession): Promise<SessionRecord> {
    const { id, lineage } = session;
    const prepared = this.#do(() => prepareSession(this.#layout, this.#catalogue, session));
    try {
      if (lineage !== undefined) {
        this.#do(() => this.#takeOver(enterInParent(this.#catalogue, id, lineage)));
        // A fork may survive a power cut before it is synced: then so must what it inherits.
        await this.#syncer.flush();
      }
      return this.#do(() => {
        const file = appear(this.#layout, this.#catalogue, id, prepared);
        this.#takeOver(file);
        return recordOf(this.#viewed(file));
      });
    } finally {
      rmSync(prepared, { recursive: true, force: true });
    }
  }

  async get(id: SessionId): Promise<SessionRecord | undefined> {
    return this.#do(() => {
      const state = this.#catalogue.find(id)?.known;
      return state === undefined || state.deleted ? undefined : recordOf(state);
    });
  }

  async update(id: SessionId, patch: SessionPatch, lease?: Lease): Promise<SessionRecord> {
    return this.#write(id, (file) => writes.update(file, patch, lease));
  }

  async delete(id: SessionId): Promise<boolean> {
    return this.#do(() => {
      const file = this.#catalogue.file(id);
      this.#syncer.changed(this.#layout.shard(id));
      // Its journal says that it is deleted, where it stays for forks.
      this.#syncer.wrote(file);
      const remove = () => deleteSession(this.#layout, this.#catalogue, id);
      return file.inOrder(() => this.#do(remove));
    });
  }

  async list(query: SessionQuery = {}): Promise<Page<SessionRecord>> {
    this.#assertOpen();
    if (query.cursor !== undefined) decodeCursor(query.cursor);
    await this.#validate(query.cursor === undefined ? 0 : laterPagesMs);
    return pageOf(this.#catalogue.records(), query);
  }

  async count(filter: SessionFilter = {}): Promise<number> {
    await this.#validate();
    let found = 0;
    for (const record of this.#catalogue.records()) if (matches(record, filter)) found += 1;
    return found;
  }

  async append(id: SessionId, after: number, entries: readonly NewEntry[], lease: Lease): Promise<number> {
    return this.#write(id, (file) => writes.append(file, after, entries, lease));
  }

  async seal(
    id: SessionId,
    range: { readonly from: number; readonly head: number },
    entries: readonly NewEntry[],
    lease: Lease,
  ): Promise<number> {
    return this.#write(id, (file) => {
      const head = writes.seal(file, range, entries, lease);
      this.#rotations.consider(file);
      return head;
    });
  }

  async *read(id: SessionId, range: EntryRange = {}): AsyncGenerator<readonly Entry[]> {
    const find = (each: SessionId) => guarded(this.#layout.root, () => this.#catalogue.find(each));
    this.#assertOpen();
    const file = find(id);
    const state = file?.known;
    if (file === undefined || state === undefined || state.deleted) throw sessionNotFound(id);
    const { headSeq, sealedSeq } = state;
    const span = {
      from: Math.max(range.from ?? 1, 1),
      through: Math.min(range.through ?? Infinity, headSeq),
    };
    try {
      for await (const page of readPages(find, file, span)) {
        this.#assertOpen();
        const isRunning = (page.at(-1)?.seq ?? 0) > sealedSeq;
        if (isRunning && this.#viewed(file).sealedSeq !== sealedSeq) throw sealedWhileRead(id);
        yield page;
        this.#assertOpen();
      }
    } catch (error) {
      throw storeError(error, this.#layout.root);
    }
  }

  async acquire(id: SessionId, request: LeaseRequest): Promise<Acquired> {
    return this.#write(id, (file) => {
      this.#takeOver(file);
      return writes.acquire(file, request);
    });
  }

  async renew(lease: Lease): Promise<Lease> {
    return this.#write(lease.sessionId, (file) => writes.renew(file, lease));
  }

  async release(lease: Lease): Promise<void> {
    return this.#do(() => {
      const file = this.#catalogue.find(lease.sessionId);
      return file?.inOrder(() => this.#do(() => writes.release(file, lease)));
    });
  }

  async flush(): Promise<void> {
    this.#assertOpen();
    return this.#syncer.flush();
  }

  async stats(): Promise<StoreStats> {
    await this.#validate();
    const { details, ...figures } = this.#catalogue.figures();
    const { done: rotations, lastFailure } = this.#rotations;
    const failure = lastFailure === undefined ? {} : { lastRotationFailure: lastFailure };
    return { ...figures, details: { ...details, rotations, ...failure } };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#rotations.close();
    this.#open.closeAll();
  }

  /** Runs `act` on the session's file, after what was asked of it before. */
  #write<T>(id: SessionId, act: (file: SessionFile) => T): T | Promise<T> {
    return this.#do(() => {
      const file = this.#catalogue.known(id) ?? this.#catalogue.find(id);
      if (file === undefined) throw sessionNotFound(id);
      return file.inOrder(() =>
        this.#do(() => {
          this.#syncer.wrote(file);
          return act(file);
        }),
      );
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

  #do<T>(action: () => T): T {
    this.#assertOpen();
    return guarded(this.#layout.root, action);
  }

  async #validate(maxAgeMs = 0): Promise<void> {
    this.#assertOpen();
    try {
      await this.#catalogue.validate(maxAgeMs);
      for (const file of this.#catalogue.deleted()) collect(this.#layout, this.#catalogue, file);
    } catch (error) {
      throw storeError(error, this.#layout.root);
    }
    this.#assertOpen();
  }

  #viewed(file: SessionFile) {
    const state = file.view();
    if (state === undefined) throw sessionNotFound(file.id);
    return state;
  }

  #assertOpen(): void {
    if (this.#closed) throw storeClosed(this.name);
  }
}
