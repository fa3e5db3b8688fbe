/** Bounds how many journals are open at once: those not used lately are closed and keep what they know. */
import type { SessionFile } from "./session-file.ts";

export class OpenFiles {
  readonly #files = new Set<SessionFile>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  readonly opened = (file: SessionFile): void => {
    this.#files.delete(file);
    this.#files.add(file);
    if (this.#files.size > this.#max) this.#parkOne(file);
  };

  closed(file: SessionFile): void {
    file.reset();
    this.#files.delete(file);
  }

  closeAll(): void {
    for (const file of this.#files) file.reset();
    this.#files.clear();
  }

  /** The first that was not used since it was last passed over. */
  #parkOne(spared: SessionFile): void {
    for (const file of this.#files) {
      this.#files.delete(file);
      if (file !== spared && !file.used) {
        file.park();
        return;
      }
      file.used = false;
      this.#files.add(file);
    }
  }
}
