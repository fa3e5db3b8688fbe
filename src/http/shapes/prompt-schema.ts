/** The shapes of the routes about turns. */
import * as z from "zod/mini";
import * as s from "../schema.ts";

export const promptWish = s.component(
  "Prompt",
  z.strictObject({
    prompt: s.contentSchema,
    messageId: z.optional(z.string().check(z.maxLength(200))),
  }),
);

export const turnEnd = s.component(
  "TurnEnd",
  s.described(
    z.looseObject({ stopReason: z.string() }),
    "ACP's answer to session/prompt, with usage where the agent says it",
  ),
);

const openPermission = z.object({
  permissionId: z.string(),
  sessionId: z.string(),
  askedAtMs: z.number(),
  toolCall: s.described(z.record(z.string(), s.anything), "what is to be allowed, as ACP has it"),
  options: z.array(z.object({ optionId: z.string(), name: z.string(), kind: z.optional(z.string()) })),
});

export const openPermissions = s.component(
  "OpenPermissions",
  z.object({ permissions: z.array(openPermission) }),
);

export const decision = s.component(
  "Decision",
  z.union([z.strictObject({ optionId: z.string() }), z.strictObject({ cancelled: z.literal(true) })]),
);

export const decided = s.component("Decided", z.object({ permissionId: z.string() }));
export const endWish = z.strictObject({
  force: z.optional(s.described(z.boolean(), "asks nobody, and takes it, also in the middle of a turn")),
});
export const ended = s.component(
  "Ended",
  z.object({ id: s.sessionId, ended: s.described(z.boolean(), "false: nobody has it open") }),
);
export const cancelled = s.component("Cancelled", z.object({ id: s.sessionId, cancelled: z.boolean() }));
