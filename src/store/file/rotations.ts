/** The rotations of one store, in the background: a journal is good as it is, and no turn waits for one. */
import { reasonOf } from "../../base/errors.ts";
import { storeError } from "./fs-errors.ts";
import { rotatableBytes, rotate } from "./rotation.ts";
import type { SessionFile } from "./session-file.ts";

export class Rotations {
  /** Carried out so far. */
  done = 0;
  lastFailure: string | undefined;
  readonly #root: string;
  readonly #rotateBytes: number;
  readonly #running = new Map<SessionFile, Promise<void>>();
  #closed = false;

  constructor(root: string, rotateBytes: number) {
    this.#root = root;
    this.#rotateBytes = rotateBytes;
  }

  /** Begins a rotation if it pays. One that fails is told in `stats()` and tried again at the next seal. */
  consider(file: SessionFile): void {
    const state = file.known;
    if (this.#closed || state === undefined || this.#running.has(file)) return;
    if (rotatableBytes(state) < this.#rotateBytes) return;
    const rotation = rotate(file)
      .then((done) => {
        if (done) this.done += 1;
      })
      .catch((error: unknown) => {
        this.lastFailure = reasonOf(storeError(error, this.#root));
      })
      .finally(() => this.#running.delete(file));
    this.#running.set(file, rotation);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#running.values());
  }
}
