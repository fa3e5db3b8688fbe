/**
 * Sessions and their records in one command, where the server lets us: a command for each session costs its
 * client more than all that it carries.
 */
import { isSidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { SessionRecord } from "../contract.ts";
import { recordIn } from "./records.ts";
import { listedFields, type Keys } from "./schema.ts";
import type { Server } from "./server.ts";

/**
 * What follows a key in the command that reads the sessions whose ids are under it, after their order and range;
 * undefined where the server does not let us: on a cluster, before Redis 7, and if the user may read some keys only.
 */
export async function joining(server: Server, keys: Keys): Promise<readonly string[] | undefined> {
  if (server.clustered) return undefined;
  const record = keys.record("*" as SessionId);
  const gets = listedFields.flatMap((field) => ["GET", `${record}->${field}`]);
  try {
    await server.command("sort_ro", keys.activity, "BY", "nosort", "LIMIT", 0, 0, ...gets);
    return gets;
  } catch (error) {
    if (isSidecarError(error, "STORE_FAILED")) return undefined;
    throw error;
  }
}

/** The answer to it: of each id its record, or undefined when that is gone. */
export function joinedIn(reply: readonly (string | null)[]): readonly (SessionRecord | undefined)[] {
  const records: (SessionRecord | undefined)[] = [];
  for (let at = 0; at < reply.length; at += listedFields.length) records.push(recordIn(reply, at));
  return records;
}
