/** What opencode keeps, however it does: sessions, their messages, and the parts of these. */
import type { Fields } from "../records.ts";

export interface KeptSession {
  readonly id: string;
  readonly parentId: string | undefined;
  readonly directory: string | undefined;
  readonly title: string | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** From here on it does not count: a message, perhaps a part of it. */
  readonly revert: { readonly messageId: string; readonly partId: string | undefined } | undefined;
}

export interface KeptMessage {
  readonly id: string;
  readonly atMs: number;
  readonly role: "user" | "assistant";
  readonly info: Fields;
  readonly parts: readonly KeptPart[];
}

export interface KeptPart {
  readonly id: string;
  readonly fields: Fields;
}

/** One of its generations. */
export interface Keeping {
  /** Where it lies, for people. */
  readonly path: string;
  sessions(): readonly KeptSession[];
  /** In order, as they are asked for. */
  messages(sessionId: string): Iterable<KeptMessage>;
  /** Differs when something of a session has changed. */
  stampOf(session: KeptSession): string;
  /** About how much there is to read. */
  bytesOf(sessionId: string): number;
  close(): void;
}
