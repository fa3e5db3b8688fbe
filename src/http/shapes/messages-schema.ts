/** The shapes of the routes about single messages, going back, sharing. */
import * as z from "zod/mini";
import * as s from "../schema.ts";
import { itemSchema } from "./history-schema.ts";

export const newMessage = s.component(
  "NewMessage",
  z.strictObject({ role: z.enum(["user", "assistant", "system"]), content: s.contentSchema }),
);

export const added = s.component(
  "AddedMessage",
  z.object({ seq: s.seq, messageId: z.string(), headSeq: s.seq }),
);

export const message = s.component(
  "Message",
  z.object({
    item: itemSchema,
    edits: s.described(
      z.array(z.object({ seq: s.seq, atMs: z.number(), content: z.array(s.anything), counts: z.boolean() })),
      "of a prompt: all its wordings, in order, this one among them; none for what is no prompt",
    ),
  }),
);

export const clearQuery = z.strictObject({
  erase: z.optional(
    s.described(s.truth, "what was said is taken out of the store, and nothing brings it back"),
  ),
});

export const cleared = s.component(
  "Cleared",
  z.object({ id: s.sessionId, headSeq: s.seq, erased: z.boolean() }),
);

export const forkWish = s.component(
  "ForkWish",
  z.strictObject({
    atSeq: z.optional(s.described(z.int().check(z.gte(0)), "its last entry; unless told, all that is final")),
  }),
);

export const rewindWish = s.component(
  "RewindWish",
  s.described(
    z.union([
      z.strictObject({ toSeq: s.seq }),
      z.strictObject({ undo: z.literal(true) }),
      z.strictObject({ editSeq: s.seq, content: s.contentSchema }),
    ]),
    "to an entry; the last step back taken back; or a prompt said anew, in its place",
  ),
);

export const archiveWish = s.component("ArchiveWish", z.strictObject({ archived: z.optional(z.boolean()) }));

export const shareWish = s.component(
  "ShareWish",
  z.strictObject({
    with: s.described(
      z.string().check(z.minLength(1), z.maxLength(200)),
      "their name: the one that their --identity has",
    ),
    permissions: z.optional(s.described(z.array(s.permission), "only to read, unless told")),
    untilMs: z.optional(z.nullable(s.millis("it ends"))),
  }),
);

export const share = s.component(
  "Share",
  z.object({
    with: z.string(),
    permissions: z.array(s.permission),
    by: z.string(),
    atMs: z.number(),
    untilMs: z.optional(z.number()),
  }),
);

const link = z.object({
  token: s.described(z.string(), "the id of its token; token revoke ends this one alone"),
  untilMs: z.number(),
});

export const shares = s.component(
  "Shares",
  z.object({ owner: z.nullable(z.string()), shares: z.array(share), links: z.array(link) }),
);

export const linkWish = s.component(
  "LinkWish",
  z.strictObject({ untilMs: z.optional(s.described(z.number(), "when it ends; in a week, unless told")) }),
);

export const madeLink = s.component(
  "MadeLink",
  z.extend(link, {
    fragment: s.described(
      z.string(),
      "behind this server's address it opens the session to read; given out once, and no browser sends it to anybody",
    ),
  }),
);

export const endedLinks = s.component("EndedLinks", z.object({ links: z.number() }));

export const unshareQuery = z.strictObject({ with: z.string() });
export const unshared = s.component("Unshared", z.object({ with: z.string(), wasShared: z.boolean() }));
