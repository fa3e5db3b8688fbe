/** What a large update of a tool call is, without what is large in it: nobody needs that parsed to join it. */
import { meaningOf, type Meaning } from "./entries.ts";
import { means, usualKindOf } from "./kinds.ts";
import { membersOf, objectText } from "../base/json-text.ts";
import type { NewEntry } from "../store/contract.ts";

/** What is shorter is parsed sooner than it is taken apart. */
const minChars = 1 << 18;
const maxValueChars = 1000;

/**
 * The meaning of an entry in which values that are large are only told by their types.
 * @returns undefined where that would save nothing
 */
export function shallowMeaningOf({ kind, data }: NewEntry): Meaning | undefined {
  if (data.length < minChars || kind !== "update" || !means(usualKindOf(data) ?? "", "toolCall"))
    return undefined;
  const members = membersOf(data);
  const update = membersOf(members.get("update") ?? "{}");
  for (const [name, value] of update) update.set(name, shortened(value));
  for (const [name, value] of members) members.set(name, shortened(value));
  return meaningOf({ kind, data: objectText(members.set("update", objectText(update))) });
}

/** Of an object it is not said what it holds: `_meta` that is large is content, and stays. */
function shortened(value: string): string {
  if (value.length <= maxValueChars) return value;
  return value.startsWith('"') ? '""' : value.startsWith("[") ? "[]" : '{"data":"left out"}';
}
