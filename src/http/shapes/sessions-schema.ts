/** The shapes of the routes about sessions. */
import * as z from "zod/mini";
import { states } from "../../session/state.ts";
import * as s from "../schema.ts";

export const listQuery = z.strictObject({
  cwd: z.optional(s.described(z.string(), "only sessions of this folder, absolute, by whichever spelling")),
  state: z.optional(z.enum(states)),
  agent: z.optional(s.described(z.string(), "only of agents whose name has this in it")),
  title: z.optional(s.described(z.string(), "only where the title has this in it")),
  words: z.optional(
    s.described(
      z.string().check(z.maxLength(1000)),
      "only where title, folder, id or agent have each of these words in them",
    ),
  ),
  sinceMs: z.optional(s.described(s.from0, "active at or after this instant")),
  untilMs: z.optional(s.described(s.from0, "active before this instant")),
  archived: z.optional(
    s.described(z.enum(["exclude", "include", "only"]), "archived ones (default exclude)"),
  ),
  parent: z.optional(s.described(s.sessionId, "only forks of this session")),
  count: z.optional(s.described(s.truth, "also say how many there are, where the store can count them")),
  limit: z.optional(s.count(1000)),
  cursor: z.optional(s.described(z.string(), "nextCursor of the page before")),
});

export const sessionList = s.component(
  "SessionList",
  z.object({
    sessions: z.array(s.sessionSchema),
    total: z.optional(z.int()),
    nextCursor: z.optional(z.string()),
    // What is there and cannot be read, because it is damaged or was changed by other hands.
    unreadable: z.optional(
      z.array(z.object({ id: s.sessionId, code: z.enum(["DECRYPT_FAILED", "STORE_CORRUPT"]) })),
    ),
  }),
);

export const newSession = s.component(
  "NewSession",
  z.strictObject({
    cwd: s.folder,
    title: z.optional(s.title),
    additionalDirectories: z.optional(z.array(s.folder).check(z.maxLength(100))),
    metadata: z.optional(s.metadata),
  }),
);

export const sessionChange = s.component(
  "SessionChange",
  z.strictObject({
    title: z.optional(s.title),
    archived: z.optional(z.boolean()),
    metadata: z.optional(
      s.described(
        z.record(z.string(), z.nullable(z.union([z.string(), z.number(), z.boolean()]))),
        "only these change; null takes one away",
      ),
    ),
  }),
);

export const deleteQuery = z.strictObject({
  force: z.optional(s.described(s.truth, "also in the middle of a turn")),
  erase: z.optional(s.described(s.truth, "for good, and not into the trash")),
});

export const extended = s.component(
  "Extended",
  z.object({
    id: s.sessionId,
    updatedAtMs: s.millis("last activity"),
    expiresAtMs: z.nullable(s.millis("deleted for its age; null: never")),
  }),
);

export const nothing = z.strictObject({});
