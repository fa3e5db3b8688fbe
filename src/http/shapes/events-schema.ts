/** The shapes of the routes that go on. */
import * as z from "zod/mini";
import * as s from "../schema.ts";

export const eventsQuery = z.strictObject({
  after: z.optional(
    s.described(z.string().check(z.maxLength(200)), "as Last-Event-ID, for whoever cannot send headers"),
  ),
});
