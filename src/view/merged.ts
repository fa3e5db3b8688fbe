/** Items of neighbouring pages as one list: what a page tells of an item that began on one before goes into that. */
import { goesOn, joined, keyOf, type Item } from "../history/pages/items.ts";

export function merged(items: readonly Item[]): readonly Item[] {
  const list: Item[] = [];
  /** Where an item stands that later ones may go on with. */
  const open = new Map<string, number>();
  for (const item of items) {
    const key = keyOf(item);
    const at = key !== undefined && goesOn(item) ? open.get(key) : undefined;
    const before = at === undefined ? undefined : list[at];
    if (at !== undefined && before !== undefined) {
      list[at] = { ...joined(before, item), through: Math.max(before.through, item.through) };
      continue;
    }
    if (key !== undefined) open.set(key, list.length);
    list.push(item);
  }
  return list;
}
