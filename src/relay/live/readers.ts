/** Sessions that the client only reads, and that are followed for it: each by one reader, which ends with its attachment. */
import type { SessionId } from "../../base/ids.ts";

interface Reader {
  close(): Promise<void>;
}

export class Readers {
  readonly #byId = new Map<SessionId, Reader>();
  #isClosed = false;

  /** In the place of the one before. */
  async put(id: SessionId, reader: Reader): Promise<void> {
    const before = this.#byId.get(id);
    this.#byId.set(id, reader);
    await before?.close();
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
