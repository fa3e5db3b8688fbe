/** The shapes of what is asked about the server itself. */
import * as z from "zod/mini";
import * as s from "../schema.ts";

const status = z.enum(["ok", "degraded", "failed"]);

export const alive = s.component("Alive", z.object({ status: z.literal("alive"), version: z.string() }));
export const ready = s.component("Ready", z.object({ status }));
export const serverStatus = s.component(
  "Status",
  z.object({
    version: z.string(),
    status,
    checks: z.array(
      z.looseObject({
        name: z.string(),
        ok: z.boolean(),
        words: z.string(),
        isVital: z.boolean(),
        ms: z.number(),
      }),
    ),
    sessions: s.described(z.int(), "that this token sees"),
    processes: z.optional(
      s.described(
        z.array(z.looseObject({ kind: z.string(), pid: z.int() })),
        "of this machine: for a token of scope admin without limits",
      ),
    ),
  }),
);

export const tokenRights = s.component(
  "TokenRights",
  z.object({
    principal: s.described(z.nullable(z.string()), "as whom it acts; null as nobody who has a name"),
    permissions: s.described(
      z.array(s.permission),
      "with its own sessions; of those of others it may be less",
    ),
    isOwners: s.described(z.boolean(), "it may also do what is an owner's: share, end by force"),
    isLimited: s.described(z.boolean(), "to single sessions, or to a folder"),
    onBusy: s.described(
      z.enum(["idle", "error", "takeover"]),
      "whose session a prompt takes over: where no turn runs, nobody's, anybody's",
    ),
    hasAgent: s.described(z.boolean(), "this server was started with an agent, which answers prompts"),
  }),
);
