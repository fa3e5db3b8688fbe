/** A session's place in the list, where a write cannot set it along with the record. */
import type { SessionId } from "../../base/ids.ts";
import type { Medium } from "./medium.ts";

/** Follows a write on a cluster, where the list is on another server than the session. */
export async function moveActivity(
  { server, keys }: Medium,
  id: SessionId,
  before: string | undefined,
  now: string | undefined,
): Promise<void> {
  if (!server.clustered || now === undefined || before === now) return;
  // A slower writer's older time must not undo ours; but time may also be set back, and then it counts.
  const back = Number(now) < Number(before || 0) ? [] : ["GT"];
  await server.command("zadd", keys.activity, "XX", ...back, now, id);
}
