/**
 * The audit log of one process: records wait for each other for a moment and are written together. Where every deed
 * must be recorded, whoever does something waits until its record is on the disk.
 */
import { SidecarError, isSidecarError, reasonOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { Queue } from "../base/queue.ts";
import type { Secrets } from "../base/secrets.ts";
import type { Audit, Deed, Ended } from "./audit.ts";
import type { Head } from "./heads.ts";
import { failureOf, isLocked } from "./outcomes.ts";
import { HeadSigning } from "./signing.ts";
import type { LogWriter, Waiting } from "./writing.ts";

export interface AuditOptions {
  /** Undefined where a user has no folder for it. */
  readonly file: string | undefined;
  /** Nothing is done that cannot be recorded. */
  readonly isRequired: boolean;
  /** Whose deeds these are. */
  readonly who: string;
  /** From where: the same, or more of it. */
  readonly place: string;
  /** `acp`, `command`, `http` or `library`. */
  readonly via: string;
  readonly maxBytes: number;
  readonly maxFiles: number;
  /** Titles of tool calls say what is done, and so may say what stands in a session. */
  readonly showsTitles: boolean;
  readonly secrets?: Secrets;
  /** Where the key is that heads of sessions are signed with. */
  readonly signingKey?: string | undefined;
  readonly log: Logger;
}

/** Records that come so soon after one another are written together. */
const gatheredMs = 50;
/** The first ones wait longer: whoever starts us waits for other things. */
const startMs = 500;
/** What is written is told to the disk after so long at most. */
const unsyncedMs = 1000;
/** Others hold the lock for moments: whoever does something waits so long for it at most, and at the end. */
const lockWaitMs = 5000;
/** Records wait on after this, together with what has come meanwhile. */
const lockTryMs = 1000;
/** More cannot wait: the file does not take any. */
const mostWaiting = 10_000;

interface Batch {
  readonly records: Waiting[];
  /** Of those, whose callers do not wait. */
  noted: number;
  written: Promise<void> | undefined;
}

export class AuditLog implements Audit {
  readonly place: string;
  readonly showsTitles: boolean;
  readonly noteHead: ((head: Head) => void) | undefined;
  readonly #options: AuditOptions;
  readonly #signing: HeadSigning | undefined;
  readonly #queue = new Queue();
  #batch: Batch | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #syncing: NodeJS.Timeout | undefined;
  #writer: Promise<LogWriter> | undefined;
  /** Records that could not be written since one could. */
  #lost = 0;
  #hasFailed = false;
  #isClosing = false;
  #who: string;
  /** Errors of deeds that are recorded. */
  readonly #recorded = new WeakSet<object>();

  constructor(options: AuditOptions) {
    this.#options = options;
    this.#who = options.who;
    this.place = options.place;
    this.showsTitles = options.showsTitles;
    const { signingKey, log } = options;
    if (signingKey === undefined) return;
    this.#signing = new HeadSigning(signingKey, log, (deed) => this.note(deed));
    this.noteHead = (head) => this.#signing?.sign(head);
  }

  actAs(who = this.#options.who): void {
    this.#who = who;
  }

  note(deed: Deed, ended: Ended = {}): void {
    const batch = this.#add(deed, ended);
    if (batch === undefined) return;
    batch.noted += 1;
    this.#gather();
  }

  async noted(deed: Deed, ended: Ended = {}): Promise<void> {
    if (!this.#options.isRequired) return this.note(deed, ended);
    try {
      if (this.#add(deed, ended) === undefined)
        throw new SidecarError("AUDIT_FAILED", "Too much waits for the audit log");
      await this.#flush();
    } catch (error) {
      const message = `${reasonOf(error)}; audit is required, so nothing is done: mend that, or set audit to on`;
      throw new SidecarError("AUDIT_FAILED", message, { cause: error });
    }
  }

  async around<T>(deed: Deed, act: () => Promise<T>, ended?: (result: T) => Ended | undefined): Promise<T> {
    const { isRequired } = this.#options;
    if (isRequired) await this.noted(deed, { outcome: "begun" });
    let result: T;
    try {
      result = await act();
    } catch (error) {
      const isNothing = deed.isTried === true && isSidecarError(error, "SESSION_BUSY", "LEASE_LOST");
      if (isRequired || !isNothing) this.#noteFailed(deed, error);
      throw error;
    }
    const end = ended === undefined ? {} : ended(result);
    if (end !== undefined) this.note(deed, end);
    // What was begun has an end.
    else if (isRequired) this.note(deed, { outcome: "refused" });
    return result;
  }

  async *whole<T>(deed: Deed, pieces: AsyncIterable<T>): AsyncGenerator<T> {
    if (this.#options.isRequired) await this.noted(deed, { outcome: "begun" });
    let ended: Ended | undefined = { facts: { isCutOff: true } };
    try {
      yield* pieces;
      ended = {};
    } catch (error) {
      ended = undefined;
      this.#noteFailed(deed, error);
      throw error;
    } finally {
      if (ended !== undefined) this.note(deed, ended);
    }
  }

  noteRefused(deed: Deed, error: unknown): void {
    if (typeof error === "object" && error !== null && !this.#recorded.has(error))
      this.#noteFailed(deed, error);
  }

  async close(): Promise<void> {
    await this.#signing?.done();
    this.#isClosing = true;
    clearTimeout(this.#gathering);
    clearTimeout(this.#syncing);
    await this.#flush().catch(() => undefined);
    await this.#queue.run(async () => {
      const writer = await this.#writer;
      await writer?.sync().catch((error: unknown) => this.#warn(error));
      writer?.close();
    });
  }

  #noteFailed(deed: Deed, error: unknown): void {
    if (typeof error === "object" && error !== null) this.#recorded.add(error);
    this.note(deed, failureOf(error));
  }

  /** Undefined where there is no room. */
  #add(deed: Deed, { outcome = "done", code, ...more }: Ended): Batch | undefined {
    const { via } = this.#options;
    this.#batch ??= { records: [], noted: 0, written: undefined };
    if (this.#batch.records.length >= mostWaiting) {
      this.#lost += 1;
      return undefined;
    }
    const facts = { ...deed.facts, ...more.facts };
    // Its line is made when it is written: whoever does something does not wait for that.
    const record = { via, outcome, code, ...deed, ...more, facts, who: deed.who ?? this.#who };
    this.#batch.records.push({ record, atMs: Date.now() });
    return this.#batch;
  }

  /** Settles when all that waits now is written. Errors: `AUDIT_FAILED`. */
  async #flush(): Promise<void> {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const batch = this.#batch;
    if (batch === undefined) return this.#queue.idle();
    batch.written ??= this.#queue.run(() => this.#write(batch));
    await batch.written;
  }

  async #write(batch: Batch): Promise<void> {
    const { isRequired } = this.#options;
    const mayWaitOn = !isRequired && !this.#isClosing;
    let lost = 0;
    // What comes while others have the lock goes along.
    const take = () => {
      if (this.#batch === batch) this.#batch = undefined;
      lost = this.#lost;
      return lost === 0 ? batch.records : [this.#gap(lost), ...batch.records];
    };
    try {
      const writer = await (this.#writer ??= this.#open());
      await writer.append(take, mayWaitOn ? lockTryMs : lockWaitMs);
      if (isRequired) await writer.sync();
      else this.#syncing ??= setTimeout(() => this.#syncSoon(), unsyncedMs).unref();
    } catch (error) {
      if (mayWaitOn && isLocked(error)) return this.#waitOn(batch);
      if (this.#batch === batch) this.#batch = undefined;
      this.#lost += batch.noted;
      // Whoever waits is told.
      if (batch.noted > 0) this.#warn(error);
      throw error;
    }
    this.#lost -= lost;
    if (this.#hasFailed) this.#options.log.warn({ lost }, "the audit log is written again");
    this.#hasFailed = false;
  }

  /** Others were quicker all the time: nothing is lost by that. */
  #waitOn(batch: Batch): void {
    batch.written = undefined;
    this.#gather();
  }

  #gather(): void {
    const waitMs = this.#writer === undefined ? startMs : gatheredMs;
    this.#gathering ??= setTimeout(() => void this.#flush().catch(() => undefined), waitMs);
  }

  #syncSoon(): void {
    this.#syncing = undefined;
    void this.#queue.run(async () =>
      (await this.#writer)?.sync().catch((error: unknown) => this.#warn(error)),
    );
  }

  async #open(): Promise<LogWriter> {
    const { file } = this.#options;
    if (file === undefined)
      throw new SidecarError("AUDIT_FAILED", "No home directory is known: name a file with --audit-file");
    const { LogWriter: Writer } = await import("./writing.ts");
    return new Writer({ ...this.#options, file });
  }

  #gap(records: number): Waiting {
    const { who, via } = this.#options;
    return { record: { who, via, what: "log.gap", outcome: "done", facts: { records } }, atMs: Date.now() };
  }

  /** Once, until it goes again: without it all else goes on. */
  #warn(error: unknown): void {
    if (!this.#hasFailed)
      this.#options.log.warn(
        { reason: reasonOf(error) },
        "the audit log is not written: what is done now is not recorded",
      );
    this.#hasFailed = true;
  }
}
