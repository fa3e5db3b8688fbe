/** The shapes of the routes over many sessions, and of what is taken along and brought in. */
import * as z from "zod/mini";
import { exportFormats } from "../../history/export/formats.ts";
import { searchRoles } from "../../history/search/entry-text.ts";
import { dimensions } from "../../history/usage/rows.ts";
import * as s from "../schema.ts";

export const exportWish = s.component(
  "ExportWish",
  z.strictObject({
    format: z.optional(z.enum(exportFormats as ["markdown"])),
    redact: z.optional(s.described(z.boolean(), "without what looks like a secret")),
    thoughts: z.optional(z.boolean()),
    superseded: z.optional(s.described(z.boolean(), "also what a rewind superseded")),
  }),
);

export const searchQuery = z.strictObject({
  q: s.described(
    z.string().check(z.minLength(1), z.maxLength(2000)),
    'words, "phrases", -without, as acp-sidecar search takes them',
  ),
  cwd: z.optional(z.string()),
  agent: z.optional(z.string()),
  role: z.optional(z.enum(searchRoles)),
  sinceMs: z.optional(s.from0),
  untilMs: z.optional(s.from0),
  in: z.optional(s.described(s.sessionId, "only this session")),
  archived: z.optional(s.truth),
  superseded: z.optional(s.truth),
  limit: z.optional(s.count(1000)),
  perSession: z.optional(s.count(1000)),
});

const part = z.object({ text: z.string(), isMatch: z.boolean() });
const hit = z.object({
  address: z.string(),
  seq: s.seq,
  role: z.enum(searchRoles),
  atMs: z.number(),
  snippet: z.array(part),
  text: s.described(z.string(), "the snippet in one piece"),
  superseded: z.optional(z.literal(true)),
});

export const searchResult = s.component(
  "SearchResult",
  z.object({
    sessions: z.array(
      z.object({
        id: s.sessionId,
        title: z.optional(z.string()),
        cwd: z.string(),
        agent: z.optional(z.string()),
        updatedAtMs: z.number(),
        hits: z.array(hit),
        isMore: z.boolean(),
      }),
    ),
    isMore: z.boolean(),
    indexed: s.described(z.int(), "messages that were indexed for this search"),
    unread: s.described(z.array(s.sessionId), "sessions that are damaged and could not be searched"),
  }),
);

export const usageQuery = z.strictObject({
  by: z.optional(z.enum(dimensions)),
  sinceMs: z.optional(s.from0),
});

export const usage = s.component(
  "Usage",
  z.object({
    by: z.enum(dimensions),
    rows: z.array(
      z.looseObject({
        key: z.string(),
        turns: z.int(),
        input: z.number(),
        output: z.number(),
        total: z.number(),
        cost: z.record(z.string(), z.number()),
      }),
    ),
  }),
);

export const importWish = s.component(
  "ImportWish",
  z.strictObject({
    source: z.enum(["claude", "codex", "gemini", "opencode"]),
    sinceMs: z.optional(z.int().check(z.gte(0))),
    isDryRun: z.optional(z.boolean()),
  }),
);

export const importResult = s.component(
  "ImportResult",
  z.object({
    sessions: s.described(
      z.record(z.string(), z.int()),
      "how many were imported, continued, replaced, present, empty, skipped",
    ),
    entries: z.int(),
    bytes: z.number(),
    imported: s.described(z.array(s.sessionId), "of these, the first thousand"),
    problems: z.array(z.object({ reason: z.string(), line: z.optional(z.int()) })),
  }),
);
