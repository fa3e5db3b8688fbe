/** What somebody is told, on its way. */
import { createHash } from "node:crypto";
import type { Receiver } from "../config/structures.ts";

export interface Letter {
  /** A ULID: receivers know by it what they have had before, and outboxes go by its order. */
  readonly id: string;
  /** Whose it is: `addressOf` its receiver. Where that is may be secret and stands in the configuration alone. */
  readonly to: string;
  /** JSON. */
  readonly body: string;
}

/** The same for the same receiver, in every process and after a restart. */
export function addressOf({ run, post, headers }: Receiver): string {
  return createHash("sha256")
    .update(JSON.stringify([run, post, headers]))
    .digest("hex")
    .slice(0, 24);
}

/** A receiver as a log may have it: arguments, and all of an address but its host, may be secret. */
export function nameOf({ run = [], post }: Receiver): string {
  return post === undefined ? (run[0] ?? "") : new URL(post).origin;
}
