/** Tables, and how rows stand for what the contract knows. */
import type { EntryKind, NewSession } from "../../contract.ts";
import { encodeFacts } from "../../facts.ts";
import { packed } from "../../packed-kind.ts";

/**
 * Version 1.
 *
 * A session's number is that of its journal and is never used again, so a number that was looked up once
 * stays right. `sessions` is narrow, because appends rewrite it; what seldom changes is in `records`. An entry's
 * key holds journal number and `seq`: a journal lies together, and reading it is a scan of one range.
 * Journals outlive their sessions while a fork needs them. `doomed` names journals of deleted sessions whose
 * entries are still to be removed. `terms` finds sessions by what they contain (see terms.ts).
 */
export const schemaV1 = `
  CREATE TABLE journals (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    parent_no INTEGER,
    base_seq INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX journals_by_parent ON journals (parent_no, base_seq) WHERE parent_no IS NOT NULL;

  CREATE TABLE sessions (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    updated_at_ms INTEGER NOT NULL,
    base_seq INTEGER NOT NULL,
    head_seq INTEGER NOT NULL,
    sealed_seq INTEGER NOT NULL,
    fence INTEGER NOT NULL DEFAULT 0,
    holder TEXT,
    since_ms INTEGER NOT NULL DEFAULT 0,
    expires_at_ms INTEGER NOT NULL DEFAULT 0,
    turn_running INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX sessions_by_activity ON sessions (updated_at_ms, id);

  CREATE TABLE records (
    no INTEGER PRIMARY KEY,
    facts TEXT NOT NULL
  ) STRICT;

  CREATE TABLE terms (
    term TEXT NOT NULL,
    no INTEGER NOT NULL,
    PRIMARY KEY (term, no)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE entries (
    key INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    data TEXT NOT NULL
  ) STRICT;

  CREATE TABLE doomed (
    no INTEGER PRIMARY KEY
  ) STRICT;
`;

/** Version 2: `entries.kind` holds a checksum, too (see mark.ts). Rows of version 1 stay as they are. */
export const schemaV2 = "";

/** Version 3: more kinds of entries, which an older program does not know. Rows stay as they are. */
export const schemaV3 = "";

/** Stands in the file's header, so that a database of something else is not taken for ours ("acps"). */
export const applicationId = 0x61637073;

/** By the number that `entries.kind` holds in its lowest byte. Append only: numbers are in people's files. */
export const entryKinds: readonly EntryKind[] = [
  "prompt",
  "update",
  "request",
  "response",
  "setting",
  "message",
  "end",
  "rewind",
  "summary",
  packed,
  "context",
];

export const kindNumbers = Object.fromEntries(entryKinds.map((kind, i) => [kind, i])) as Record<
  EntryKind,
  number
>;

/** What of a session the `sessions` row does not hold. */
export function factsOf({ id: _, ...session }: NewSession): string {
  return encodeFacts(session);
}
