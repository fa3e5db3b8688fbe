/** What a session says of itself, as a replay tells it: once, with all that was said. */
import { membersOf, objectText } from "../base/json-text.ts";

/** `session_info_update` is a patch: what a later one leaves out stays. */
export function patched(before: string, after: string): string {
  const [old, now] = [membersOf(before), membersOf(after)];
  const update = [old, now].flatMap((members) => [...membersOf(members.get("update") ?? "{}")]);
  return objectText(new Map([...old, ...now, ["update", objectText(new Map(update))]]));
}
