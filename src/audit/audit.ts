/** What the rest of the program says to the audit log, and nothing of how it is kept (log.ts). */

import type { Head } from "./heads.ts";

/** What is recorded. */
export type AuditedDeed =
  | "config"
  | "session.create"
  | "session.fork"
  | "session.open"
  | "session.takeover"
  | "session.lost"
  | "session.newPlace"
  | "session.export"
  | "session.import"
  | "session.share"
  | "session.unshare"
  | "session.archive"
  | "session.unarchive"
  | "session.rename"
  | "session.move"
  | "session.rewind"
  | "session.edit"
  | "session.compact"
  | "session.uncompact"
  | "session.erase"
  | "session.trash"
  | "session.restore"
  | "session.delete"
  | "session.expire"
  | "session.end"
  | "session.own"
  | "session.head"
  | "store.repair"
  | "store.migrate"
  | "store.backup"
  | "store.restore"
  | "permission.ask"
  | "permission.decide"
  | "access.refuse"
  | "token.create"
  | "token.use"
  | "token.refuse"
  | "token.revoke"
  | "key.generate"
  | "key.rotate";

/**
 * `begun`: it is about to be done; written only where every deed must be recorded. `refused`: by a rule of ours.
 * `failed`: it could not be done.
 */
export type AuditOutcome = "begun" | "done" | "refused" | "failed";

/** What else is known of a deed. Texts are bounded, escaped and freed of secrets by the log. */
export type AuditFacts = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Deed {
  readonly what: AuditedDeed;
  readonly session?: string | undefined;
  /** Whose deed it is, if it is not that of the log's own principal. */
  readonly who?: string | undefined;
  readonly facts?: AuditFacts;
  /** Nobody asked for it: that somebody was quicker is no record. */
  readonly isTried?: true;
}

/** How a deed ended, as far as that differs from what was to be done. */
export interface Ended extends Partial<Deed> {
  readonly outcome?: AuditOutcome;
  /** Of `refused` and `failed`. */
  readonly code?: string;
}

export interface Audit {
  /** Where its records say that they come from; sessions remember the last place that they were opened at. */
  readonly place: string;
  /** Whether what agents call their tool calls may stand in it. */
  readonly showsTitles: boolean;
  /** Records what has happened, soon; costs its caller nothing but the making of the record. */
  note(deed: Deed, ended?: Ended): void;
  /** The same; where every deed must be recorded, it is on return. Errors: `AUDIT_FAILED`, only then. */
  noted(deed: Deed, ended?: Ended): Promise<void>;
  /**
   * Does something and records how it ended. Where every deed must be recorded, that it begins is recorded first, and
   * it is not done when that cannot be. Errors: those of `act`; `AUDIT_FAILED`.
   * @param ended how it did, unless that is `done`; undefined where there was nothing to be done
   */
  around<T>(deed: Deed, act: () => Promise<T>, ended?: (result: T) => Ended | undefined): Promise<T>;
  /** The same for what is handed over piece by piece; whoever leaves early has a part of it. */
  whole<T>(deed: Deed, pieces: AsyncIterable<T>): AsyncIterable<T>;
  /** Records an access that was refused, unless a deed was recorded with this very error. */
  noteRefused(deed: Deed, error: unknown): void;
  /** From now on what is done is this principal's deed; of undefined, again the log's own. */
  actAs?(who: string | undefined): void;
  /** Signs and records the newest link of a session's chain, soon. Undefined where no key is named. */
  readonly noteHead?: ((head: Head) => void) | undefined;
  /** On return all that was noted is written, or said to be lost. */
  close(): Promise<void>;
}

/** Records nothing. */
export const noAudit: Audit = {
  place: "",
  showsTitles: false,
  note: () => undefined,
  noted: async () => undefined,
  around: (_, act) => act(),
  whole: (_, pieces) => pieces,
  noteRefused: () => undefined,
  close: async () => undefined,
};
