/** The shapes of the routes about what was said and done in a session. */
import * as z from "zod/mini";
import { included } from "../../history/pages/page.ts";
import * as s from "../schema.ts";

/** `a,b` in a query. */
const includes = s.described(
  z
    .string()
    .check(
      z.regex(
        new RegExp(`^((${included.join("|")})(,|$))*$`),
        `must be of ${included.join(", ")}, with commas between`,
      ),
    ),
  `what besides messages, with commas between: ${included.join(", ")}`,
);

export const historyQuery = z.strictObject({
  before: z.optional(s.described(s.from0, "only what began before this entry")),
  after: z.optional(s.described(s.from0, "from the first entry after this one, forward")),
  limit: z.optional(s.count(500)),
  include: z.optional(includes),
});

const type = (of: string, members: z.core.$ZodLooseShape = {}) =>
  z.looseObject({
    type: z.literal(of),
    seq: s.seq,
    through: s.described(z.int(), "the last entry that says something of it"),
    atMs: z.number(),
    turn: s.described(z.int(), "the entry of its turn's prompt; 0 where that is not known"),
    child: z.optional(s.described(z.string(), "the subagent's session whose it is")),
    parentCallId: z.optional(s.described(z.string(), "the call within which an agent's own agent did it")),
    superseded: z.optional(s.described(z.literal(true), "after a rewind it does not count any more")),
    ...members,
  });

const content = z.array(s.anything);
const text = z.string();

export const itemSchema = s.component(
  "Item",
  s.described(
    z.union([
      type("said", {
        by: z.enum(["user", "assistant", "system", "thought"]),
        content,
        messageId: z.optional(text),
        isWhole: z.optional(
          s.described(
            z.boolean(),
            "a message of its own; false where the agent streamed it, in one or more pieces",
          ),
        ),
        goesOn: z.optional(s.described(z.boolean(), "it goes on with what the same session said last")),
      }),
      type("call", {
        callId: text,
        title: text,
        kind: z.optional(text),
        status: z.optional(text),
        startedAtMs: z.number(),
        lastMs: z.number(),
        update: s.described(anyObject(), "ACP's tool call: content with diffs and output, locations, input"),
      }),
      type("subagent", { session: text, title: z.optional(text), state: z.optional(text) }),
      type("sent", { content }),
      type("asked", {
        title: text,
        requestId: z.nullable(z.union([text, z.number()])),
        options: z.array(z.object({ id: text, name: text, kind: z.optional(text) })),
      }),
      type("decided", { outcome: z.enum(["allowed", "rejected", "cancelled", "failed"]) }),
      type("plan", { steps: z.array(z.object({ text, status: text })), isRemoved: z.boolean() }),
      type("compaction", { compactionId: text, summary: content }),
      type("set", { method: text, what: text, value: text }),
      type("state", { kind: text, update: anyObject() }),
      type("rewind", { toSeq: s.seq }),
      type("summary", { throughSeq: s.seq, content }),
      type("end", { end: anyObject() }),
    ]),
    "one thing that was said, done or decided",
  ),
);

function anyObject() {
  return z.record(z.string(), z.unknown());
}

export const historyPage = s.component(
  "HistoryPage",
  z.object({
    items: z.array(itemSchema),
    before: z.optional(s.described(z.int(), "the page before this one, as before; absent at the beginning")),
    after: s.described(z.int(), "the page after this one, as after: all up to this entry has been told"),
    isMoreAfter: z.boolean(),
    follow: s.described(
      z.string(),
      "the id of the event behind which one goes on who has this page: Last-Event-ID",
    ),
    headSeq: s.seq,
    sealedSeq: s.described(z.int(), "what stands up to here never changes its numbers"),
    rewinds: s.described(
      z.array(z.object({ at: s.seq, toSeq: s.seq })),
      "where the session went back, and to which entry",
    ),
  }),
);
