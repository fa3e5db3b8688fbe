/**
 * The one way of a process to a store's index: opened when it is needed, made anew where it is damaged, closed when
 * nobody has needed it for a while. One at a time has it.
 */
import { existsSync } from "node:fs";
import { SidecarError } from "../../base/errors.ts";
import { Queue } from "../../base/queue.ts";
import type { SessionRegistry } from "../../session/registry.ts";
import { inMemory } from "../../sqlite/engine.ts";
import type { TextIndex } from "../../store/text-index.ts";
import { indexError, indexPath, isDamage, isUnwritable, removeIndexFile } from "./index-file.ts";
import { openSqliteIndex } from "./sqlite-index.ts";

export interface IndexPlace {
  /** The user's cache folder, in which the index is kept; without one it is in memory. */
  readonly cacheFolder?: string | undefined;
  /** When nobody has needed it for so long, it is closed; one in memory, which then is made anew, after ten times that. Never, unless told. */
  readonly closeAfterMs?: number | undefined;
}

/** So many wait at most. */
const mostWaiting = 100;

type Sessions = Pick<SessionRegistry, "identity" | "textIndex">;

export class IndexDoor {
  readonly #registry: Sessions;
  readonly #place: IndexPlace;
  readonly #queue = new Queue();
  #index: TextIndex | undefined;
  #file: string | undefined;
  #isInMemory = false;
  #closing: NodeJS.Timeout | undefined;

  constructor(registry: Sessions, place: IndexPlace) {
    this.#registry = registry;
    this.#place = place;
  }

  /** Work that meets damage is done once more, with an index made anew. Errors: `REQUEST_LIMIT`, `STORE_…`, those of `work`. */
  async with<T>(work: (index: TextIndex) => Promise<T>): Promise<T> {
    if (this.#queue.length > mostWaiting)
      throw new SidecarError(
        "REQUEST_LIMIT",
        `${mostWaiting} searches wait already; search again when they are done`,
      );
    return this.#queue.run(async () => {
      clearTimeout(this.#closing);
      try {
        return await this.#sound(work);
      } finally {
        this.#closeLater();
      }
    });
  }

  /** What is found out anew is gone with this process. */
  get isInMemory(): boolean {
    return this.#isInMemory;
  }

  /** Whether there is one that is kept. In a file it is made only for who searches: words that are deleted stay in it. */
  async isThere(): Promise<boolean> {
    if (this.#index !== undefined) return !this.#isInMemory;
    const file = await this.#kept();
    return (file !== undefined && existsSync(file)) || (await this.#registry.textIndex()) !== undefined;
  }

  /** Settles when who has it has ended, and those who wait. */
  async close(): Promise<void> {
    await this.#queue.idle();
    clearTimeout(this.#closing);
    await this.#close();
  }

  async #close(): Promise<void> {
    const index = this.#index;
    this.#index = undefined;
    await index?.close();
  }

  #closeLater(): void {
    const { closeAfterMs } = this.#place;
    if (closeAfterMs === undefined || this.#index === undefined) return;
    const afterMs = this.#isInMemory ? 10 * closeAfterMs : closeAfterMs;
    // Whoever needs it meanwhile stops this, or opens it again. One that cannot be closed is let go.
    const close = () => this.#queue.run(() => this.#close()).catch(() => undefined);
    this.#closing = setTimeout(() => void close(), afterMs);
    this.#closing.unref();
  }

  async #sound<T>(work: (index: TextIndex) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#opened());
    } catch (error) {
      if (this.#file === undefined || !isOfIndex(error) || !isDamage(causeOf(error))) throw error;
    }
    await this.#close();
    removeIndexFile(this.#file);
    return work(await this.#opened());
  }

  async #opened(): Promise<TextIndex> {
    this.#index ??= await this.#open();
    return this.#index;
  }

  async #open(): Promise<TextIndex> {
    this.#isInMemory = false;
    const ofStore = await this.#registry.textIndex();
    if (ofStore !== undefined) return ofStore;
    const file = await this.#kept();
    if (file === undefined) return this.#inMemory();
    try {
      const index = await openSqliteIndex(file);
      this.#file = file;
      return index;
    } catch (error) {
      if (!isUnwritable(error)) throw indexError(error, file);
      return this.#inMemory();
    }
  }

  /** Where its file is, if it may have one. */
  async #kept(): Promise<string | undefined> {
    const identity = await this.#registry.identity();
    const { cacheFolder } = this.#place;
    return identity === undefined || cacheFolder === undefined ? undefined : indexPath(cacheFolder, identity);
  }

  #inMemory(): Promise<TextIndex> {
    this.#isInMemory = true;
    return openSqliteIndex(inMemory);
  }
}

/** A store tells its damage by errors of its own. */
function isOfIndex(error: unknown): boolean {
  return !(error instanceof SidecarError) || error.data["index"] !== undefined;
}

function causeOf(error: unknown): unknown {
  return error instanceof SidecarError && error.cause !== undefined ? error.cause : error;
}
