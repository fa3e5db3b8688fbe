/** The shapes of the routes about a session's project. */
import * as z from "zod/mini";
import * as s from "../schema.ts";

export const contextChange = s.component(
  "ContextChange",
  z.strictObject({
    values: s.described(z.record(z.string(), s.anything), "by key; null takes one out"),
    version: z.optional(s.described(s.seq, "the version that this is about, where no If-Match says it")),
  }),
);

export const context = s.component(
  "Context",
  z.object({
    sessionId: s.sessionId,
    version: s.described(z.int(), "of the last change; 0 before the first"),
    project: z.optional(
      s.described(
        z.looseObject({
          folder: z.string(),
          root: z.string(),
          files: z.int(),
          isCut: z.boolean(),
          atMs: z.number(),
        }),
        "what its folder is; absent where that is not there",
      ),
    ),
    git: z.optional(
      z.object({ root: z.string(), branch: z.optional(z.string()), head: z.optional(z.string()) }),
    ),
    files: s.described(
      z.array(
        z.object({
          path: z.string(),
          how: z.enum(["read", "written"]),
          from: z.enum(["disk", "buffer", "unknown", "nothing"]),
          size: z.optional(z.number()),
          sha256: z.optional(z.string()),
          unread: z.optional(z.string()),
        }),
      ),
      "that its agent was shown or has written",
    ),
    mostFiles: s.described(z.int(), "more files are never known: those that were told of last"),
    isFull: z.optional(
      s.described(z.literal(true), "so many are known: nothing is of others that were told of longer ago"),
    ),
    values: z.record(z.string(), s.anything),
  }),
);

export const changesQuery = z.strictObject({
  from: z.optional(
    s.described(
      s.from0,
      "since the newest snapshot at this entry, or the first one after it; since the last, unless told",
    ),
  ),
  to: z.optional(s.described(s.from0, "up to the newest snapshot at this entry; up to now, unless told")),
});

const gitPlace = z.looseObject({});

export const contextChanges = s.component(
  "ContextChanges",
  z.object({
    from: s.described(z.int(), "the version of the context that is compared with what is there now"),
    to: z.optional(z.int()),
    files: s.described(
      z.array(
        z.object({
          path: z.string(),
          how: z.enum(["read", "written"]),
          what: s.described(
            z.enum(["created", "changed", "deleted", "renamed", "unknown"]),
            "unknown: nobody can tell",
          ),
          to: z.optional(s.described(z.string(), "where it is now")),
          why: z.optional(z.string()),
          mayDiffer: z.optional(
            s.described(z.literal(true), "nobody can tell, but it was written to, or has other times"),
          ),
          buffer: z.optional(z.literal(true)),
        }),
      ),
      "those that are not as the agent knows them",
    ),
    git: z.optional(
      z.object({
        from: gitPlace,
        to: gitPlace,
        isSwitched: z.boolean(),
        commits: z.optional(z.int()),
      }),
    ),
    others: s.described(
      z.array(z.string()),
      "other paths below git's root that differ from its head, and did not",
    ),
  }),
);
