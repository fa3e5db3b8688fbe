/** Writes batches of records: each under the lock, and told to the disk. Loaded with the first record. */
import { SidecarError, systemCodeOf, reasonOf } from "../base/errors.ts";
import { pause } from "../base/time.ts";
import { LogFile, type LogFileOptions } from "./file.ts";
import { ProcessLock } from "./lock.ts";
import { lockFolderOf } from "./places.ts";

/** Others hold the lock for moments. */
const lockWaitMs = 2000;

export class LogWriter {
  readonly #file: LogFile;
  readonly #lock: ProcessLock;
  readonly #place: string;

  constructor(options: LogFileOptions) {
    this.#file = new LogFile(options);
    this.#lock = new ProcessLock(lockFolderOf(options.file));
    this.#place = options.file;
  }

  /** On return they are written. One batch at a time. Errors: `AUDIT_FAILED`. */
  async append(bodies: readonly string[]): Promise<void> {
    try {
      const release = await this.#locked();
      try {
        this.#file.append(bodies);
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
  }

  async #locked(): Promise<() => void> {
    const untilMs = performance.now() + lockWaitMs;
    for (let waitMs = 1; ; waitMs = Math.min(20, waitMs * 2)) {
      const release = this.#lock.tryTake();
      if (release !== undefined) return release;
      if (performance.now() > untilMs)
        throw new SidecarError("AUDIT_FAILED", `${this.#lock.holder()} keeps it locked`);
      await pause(waitMs * (0.5 + Math.random()));
    }
  }

  #failed(error: unknown): SidecarError {
    const code = systemCodeOf(error);
    const reason = code === "ENOSPC" || code === "EDQUOT" ? "the disk is full" : reasonOf(error);
    return new SidecarError("AUDIT_FAILED", `The audit log ${this.#place} cannot be written: ${reason}`, {
      cause: error,
    });
  }
}
