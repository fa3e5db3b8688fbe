/** Writes batches of records: each under the lock, and told to the disk. Loaded with the first record. */
import { isSidecarError, SidecarError, systemCodeOf, reasonOf } from "../base/errors.ts";
import type { Secrets } from "../base/secrets.ts";
import { pause } from "../base/time.ts";
import { ProcessLock } from "../base/process-lock.ts";
import { bodyOf, type Recorded } from "./facts.ts";
import { LogFile, type LogFileOptions } from "./file.ts";
import { lockFileOf } from "./places.ts";

/** A record that waits. Its line is made when it is written: whoever does something does not wait for that. */
export interface Waiting {
  readonly record: Recorded;
  readonly atMs: number;
}

interface LogWriterOptions extends Omit<LogFileOptions, "own"> {
  /** Who writes, for what the log says of itself. */
  readonly who: string;
  readonly via: string;
  readonly secrets?: Secrets | undefined;
}

export class LogWriter {
  readonly #file: LogFile;
  readonly #lock: ProcessLock;
  readonly #place: string;

  readonly #secrets: Secrets | undefined;

  constructor({ who, via, secrets, ...options }: LogWriterOptions) {
    const own: LogFileOptions["own"] = (what, facts) =>
      bodyOf({ who, via, what, outcome: "done", facts }, secrets, Date.now());
    this.#secrets = secrets;
    this.#file = new LogFile({ ...options, own });
    this.#lock = new ProcessLock(lockFileOf(options.file));
    this.#place = options.file;
  }

  /**
   * On return what `take` gives is written; it is asked when it is our turn. One batch at a time. Errors: `AUDIT_FAILED`; with `locked` in its data where others
   * had the lock for all of `waitMs`, and waiting on may help.
   */
  async append(take: () => readonly Waiting[], waitMs: number): Promise<void> {
    try {
      const release = await this.#locked(waitMs);
      try {
        this.#file.append(take().map(({ record, atMs }) => bodyOf(record, this.#secrets, atMs)));
      } finally {
        release();
      }
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** What was written survives a power cut. Errors: `AUDIT_FAILED`. */
  async sync(): Promise<void> {
    try {
      await this.#file.sync();
    } catch (error) {
      throw this.#failed(error);
    }
  }

  close(): void {
    this.#file.close();
    this.#lock.close();
  }

  /** @param forMs how long it may stay with one who has it */
  async #locked(forMs: number): Promise<() => void> {
    let untilMs = performance.now() + forMs;
    for (let held: string | undefined; ;) {
      const release = this.#lock.tryTake();
      if (release !== undefined) return release;
      // It goes round: our turn comes.
      if (this.#lock.held !== held) untilMs = performance.now() + forMs;
      ({ held } = this.#lock);
      if (performance.now() > untilMs) {
        const holder = this.#lock.holder();
        this.#lock.leave();
        throw new SidecarError("AUDIT_FAILED", `${holder} keeps it locked`, { data: { locked: true } });
      }
      // Who is next looks often.
      await pause(Math.min(10, this.#lock.ahead));
    }
  }

  #failed(error: unknown): SidecarError {
    const code = systemCodeOf(error);
    const reason = code === "ENOSPC" || code === "EDQUOT" ? "the disk is full" : reasonOf(error);
    return new SidecarError("AUDIT_FAILED", `The audit log ${this.#place} cannot be written: ${reason}`, {
      cause: error,
      data: isSidecarError(error) ? error.data : {},
    });
  }
}
