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
