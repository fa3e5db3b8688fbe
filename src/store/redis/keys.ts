/**
 * The keys, and what is under them. Keys of one session share a slot by its id in braces, so that a script
 * may touch them together on a cluster too; the list of sessions has a slot of its own.
 *
 * `…{ID}:record` hash — facts and head: every field in `recordFields`
 * `…{ID}:entries` list — the entries of the living session, in the blocks of server/blocks.ts
 * `…{ID}:forks` hash — journals that inherit from this one: their id → the last seq that they inherit
 * `…{ID}:kept:JOURNAL` list, `…{ID}:heirs:JOURNAL` hash — the same two of a session that was deleted, as
 *   far as forks inherit from it; `closing` among the heirs says that the last one has gone
 * `…{ID}:terms` set — the terms that the session can be found by; `…{TERM}:sessions` set — its sessions, and
 *   perhaps some that no longer have it: whoever finds a session there looks at its record
 * `…{list}:activity` sorted set — session ids by last activity
 * `…{list}:intents` sorted set — creations and deletions under way, by the server's time
 * `…{list}:schema` string — the version of all this; `…{list}:schema:lock` while it is being changed
 * `…backup:vN:…` — a key as it was in version N, before a migration
 */
import type { SessionId } from "../../base/ids.ts";

export const schemaVersion = 2;

/** Tells a session's journal from that of an earlier session with the same id. */
export type JournalId = string;

/** A part of a journal that others inherit: entries `base + 1` … `through`. */
export interface Link {
  readonly id: SessionId;
  readonly journal: JournalId;
  readonly base: number;
  readonly through: number;
}

export interface Keys {
  readonly activity: string;
  readonly intents: string;
  readonly schema: string;
  readonly record: (id: SessionId) => string;
  readonly entries: (id: SessionId) => string;
  readonly forks: (id: SessionId) => string;
  readonly kept: (id: SessionId, journal: JournalId) => string;
  readonly heirs: (id: SessionId, journal: JournalId) => string;
  readonly terms: (id: SessionId) => string;
  readonly sessions: (term: string) => string;
  /** For writes that go to the session's or the list's server and mean nothing. */
  readonly mark: (id: SessionId) => string;
  readonly listMark: string;
}

export function keysFor(prefix: string): Keys {
  return {
    activity: `${prefix}{list}:activity`,
    intents: `${prefix}{list}:intents`,
    schema: `${prefix}{list}:schema`,
    record: (id) => `${prefix}{${id}}:record`,
    entries: (id) => `${prefix}{${id}}:entries`,
    forks: (id) => `${prefix}{${id}}:forks`,
    kept: (id, journal) => `${prefix}{${id}}:kept:${journal}`,
    heirs: (id, journal) => `${prefix}{${id}}:heirs:${journal}`,
    terms: (id) => `${prefix}{${id}}:terms`,
    sessions: (term) => `${prefix}{${term}}:sessions`,
    listMark: `${prefix}{list}:mark`,
    mark: (id) => `${prefix}{${id}}:mark`,
  };
}

/** Fields of the record that lists show, in the order in which they are read; scripts/parts/state.lua says what `state` is. */
export const listedFields = ["facts", "state", "holder", "since"] as const;

/** All of them. */
export const recordFields = [...listedFields, "journal", "base", "chain", "revision"] as const;
