/**
 * Bounds how many journals are open at once: those not used lately are closed and keep what they know. The agent, the
 * log and what is loaded late need file descriptors, too, so journals take a quarter of them at most.
 */
import fs from "node:fs";
import { systemCodeOf } from "../../base/errors.ts";
import { storeClosed } from "../refusals.ts";

/** What can be closed for a while. */
interface Parkable {
  /** Since it was last passed over. */
  used: boolean;
  /** Closes it; what is known of it stays. */
  park(): void;
  /** Closes it and forgets all. */
  reset(): void;
}

const mostOpen = 128;
const fewestOpen = 4;

export class OpenFiles {
  readonly #files = new Set<Parkable>();
  #most: number | undefined;
  #closed = false;

  /** @param most what the system's limit allows unless told */
  constructor(most?: number) {
    this.#most = most;
  }

  opened(file: Parkable): void {
    this.#files.delete(file);
    this.#files.add(file);
    this.#most ??= mostByLimit();
    if (this.#files.size > this.#most) this.#parkOne(file);
  }

  closed(file: Parkable): void {
    file.reset();
    this.#files.delete(file);
  }

  /** Nothing is opened any more. */
  close(): void {
    this.#closed = true;
    for (const file of this.#files) file.reset();
    this.#files.clear();
  }

  /** Opens something, with half as many journals open for as long as the system has no descriptor left for it. */
  withRoom<T>(open: () => T): T {
    for (;;) {
      if (this.#closed) throw storeClosed("file");
      try {
        return open();
      } catch (error) {
        if (this.#files.size === 0 || !["EMFILE", "ENFILE"].includes(systemCodeOf(error) ?? "")) throw error;
        this.#most = this.#files.size >> 1;
        while (this.#files.size > this.#most) this.#parkOne();
      }
    }
  }

  /** The first that was not used since it was last passed over. */
  #parkOne(spared?: Parkable): void {
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

/** Node raises the limit of its process as far as it may. Systems that do not tell it allow thousands. */
function mostByLimit(): number {
  let limits = "";
  try {
    limits = fs.readFileSync("/proc/self/limits", "latin1");
  } catch {
    // Not Linux.
  }
  const limit = Number(/^Max open files +([0-9]+)/m.exec(limits)?.[1] ?? Infinity);
  return Math.max(fewestOpen, Math.min(mostOpen, Math.floor(limit / 4)));
}
