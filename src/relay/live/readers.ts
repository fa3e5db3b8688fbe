/** Sessions that the client only reads, and that are followed for it: each by one reader, which ends with its attachment. */
import type { SessionId } from "../../base/ids.ts";

interface Reader {
  /** @param words what its client is told last */
  close(words?: string): Promise<void>;
}

/** Each asks the store again and again: of more than these the one that was loaded first is followed no longer. */
export const mostReaders = 32;
const tooMany =
  "Many sessions are read here, so this one is not followed any more. Load it again to see what has been said since.";

export class Readers {
  readonly #byId = new Map<SessionId, Reader>();
  #isClosed = false;

  /** In the place of the one before. */
  async put(id: SessionId, reader: Reader): Promise<void> {
    const before = this.#byId.get(id);
    this.#byId.delete(id);
    this.#byId.set(id, reader);
    await before?.close();
    const [first] = this.#byId;
    if (this.#byId.size > mostReaders && first !== undefined) {
      this.#byId.delete(first[0]);
      await first[1].close(tooMany);
    }
    if (this.#isClosed) await this.close();
  }

  /** The client uses it otherwise from now on, or not at all. */
  async end(id: SessionId): Promise<void> {
    const reader = this.#byId.get(id);
    this.#byId.delete(id);
    await reader?.close();
  }

  /** Later ones end at once. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#byId.values()];
    this.#byId.clear();
    await Promise.all(all.map((reader) => reader.close()));
  }
}
