/** Which alerts have begun, kept for the next process: on this machine one process at a time looks whether they hold. */
import { createHash } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import { makeDirectory } from "../base/disk.ts";
import { isRecord } from "../base/json.ts";
import { ProcessLock } from "../base/process-lock.ts";

/** What somebody is to be told, and may have been: with the same id it is told again after a kill. */
export interface Owed {
  readonly id: string;
  /** Of the alert. */
  readonly key: string;
  readonly news: Readonly<Record<string, unknown>> & { readonly event: string };
}

/** Plain JSON. */
export interface AlertState {
  readonly lookedAtMs: number;
  /** Since when, by the key of the alert: those that hold. */
  readonly sinceMs: Readonly<Record<string, number>>;
  readonly owed: readonly Owed[];
  /** How long small writes took, the newest last. */
  readonly syncMs: readonly number[];
}

const nothing: AlertState = { lookedAtMs: 0, sinceMs: {}, owed: [], syncMs: [] };

export class AlertStates {
  readonly #file: string;

  /** @param folder the user's, for what is left to the next process */
  constructor(folder: string, storeUrl: string) {
    const name = createHash("sha256").update(storeUrl).digest("hex").slice(0, 24);
    this.#file = path.join(folder, "alerts", `${name}.json`);
  }

  /** Undefined while another process is at it. Errors: the system's own, those of `act`. */
  async alone<T>(act: (state: AlertState) => Promise<T>): Promise<T | undefined> {
    makeDirectory(path.dirname(this.#file));
    const lock = new ProcessLock(`${this.#file}.lock`);
    try {
      const giveBack = lock.tryTake();
      if (giveBack === undefined) {
        lock.leave();
        return undefined;
      }
      try {
        return await act(await this.#read());
      } finally {
        giveBack();
      }
    } finally {
      lock.close();
    }
  }

  /** On return it survives a power cut. Errors: the system's own. */
  async write(state: AlertState): Promise<void> {
    const partial = `${this.#file}.${process.pid}.tmp`;
    const handle = await fs.open(partial, "w", 0o600);
    try {
      await handle.writeFile(JSON.stringify(state));
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await fs.rename(partial, this.#file);
  }

  /** What cannot be read is none: what holds is then told once more. */
  async #read(): Promise<AlertState> {
    try {
      const found: unknown = JSON.parse(await fs.readFile(this.#file, "utf8"));
      return isRecord(found) ? { ...nothing, ...(found as Partial<AlertState>) } : nothing;
    } catch {
      return nothing;
    }
  }
}
