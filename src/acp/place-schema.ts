/** What clients ask of us about places in a session: in methods of our own, and in `_meta["acp-sidecar"]` of ACP's. */
import * as z from "zod/mini";
import { metaKey } from "./meta.ts";
import { sessionId } from "./schema.ts";

const seq = z.number().check(z.int(), z.gte(0));
/** An entry by its number, or a message by its id. */
const place = z.union([seq, z.string()]);
const forkPlace = z.looseObject({ atSeq: z.optional(seq), at: z.optional(place) });

function ownMeta<T extends z.ZodMiniType>(ours: T) {
  return z.looseObject({
    _meta: z.optional(z.nullable(z.looseObject({ [metaKey]: z.optional(ours) }))),
  });
}

/** Whether a session whose project has moved is to move with it. */
export const moveParams = ownMeta(z.looseObject({ move: z.optional(z.boolean()) }));

/** Where a fork is to start. */
export const forkParams = ownMeta(forkPlace);

/** How much of a session is to be replayed when it is loaded: all, unless told. */
const replayWindow = z.union([
  z.literal("none"),
  z.strictObject({ last: z.number().check(z.int(), z.gte(1)) }),
  z.strictObject({ afterSeq: seq }),
]);
export const replayParams = ownMeta(z.looseObject({ replay: z.optional(replayWindow) }));

/** The prompt that is said anew. */
export const editParams = ownMeta(z.looseObject({ edits: z.optional(place) }));

/** `_acp-sidecar/rewind`. */
export const rewindParams = z
  .looseObject({ sessionId, at: z.optional(place), undo: z.optional(z.literal(true)) })
  .check(
    z.refine(({ at, undo }) => (at === undefined) !== (undo === undefined), "must have either at or undo"),
  );

/** `_acp-sidecar/messages`. */
export const messagesParams = z.looseObject({
  sessionId,
  beforeSeq: z.optional(z.number().check(z.int(), z.gte(1))),
  limit: z.optional(z.number().check(z.int(), z.gte(1), z.lte(100))),
});

export const rewindSchema = z.object({
  params: rewindParams,
  result: z.looseObject({ toSeq: seq, turns: seq, turnsBack: seq, headSeq: seq }),
});

export const messagesSchema = z.object({
  params: messagesParams,
  result: z.looseObject({
    sessionId,
    updates: z.array(z.looseObject({ sessionId, update: z.looseObject({ sessionUpdate: z.string() }) })),
    beforeSeq: z.optional(seq),
  }),
});

/** What of ours stands in `_meta["acp-sidecar"]` of ACP's own methods, and what a replay that was asked for answers. */
export const ownMetaSchema = z.object({
  "session/load": replayParams,
  "session/load result": ownMeta(
    z.looseObject({
      /** It is shared for reading: nothing that changes it is allowed. */
      readOnly: z.optional(z.literal(true)),
      replay: z.optional(
        z.looseObject({
          fromSeq: seq,
          throughSeq: seq,
          leftOut: seq,
          beforeSeq: z.optional(seq),
          supersededFrom: z.optional(seq),
        }),
      ),
    }),
  ),
  "session/prompt": editParams,
  "session/fork": forkParams,
});

export type ReplayWindow = z.infer<typeof replayWindow>;
