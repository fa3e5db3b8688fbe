/** A tool call without what the tool gave: title, kind, status, locations and the paths of its diffs stay, and what is short. */
import { itemsOf, membersOf, objectText } from "../base/json-text.ts";
import { beginsCall } from "./kinds.ts";

/** Values of at most so many characters, as JSON, stay: an exit code, a command. Of what was given to a tool longer ones do. */
const [shortChars, shortInputChars] = [256, 1024];

/** @param call the update of a call, or the call for which a permission is asked, as JSON. Undefined where nothing goes. */
export function callWithoutOutput(call: string, note: string): string | undefined {
  if (!call.startsWith("{")) return undefined;
  const members = membersOf(call);
  const kind = members.get("sessionUpdate");
  const isBegin = kind !== undefined && beginsCall(kind.slice(1, -1));
  const before = new Map(members);
  const content = members.get("content");
  const isShown = content?.startsWith("[") === true && setContent(members, content, note);
  const output = members.get("rawOutput");
  if (output !== undefined && output.length > shortChars) {
    const rest = shortMembers(output, shortChars);
    if (rest !== undefined) members.set("rawOutput", rest);
    else if (isShown || isBegin) members.delete("rawOutput");
    else members.set("rawOutput", JSON.stringify(note));
  }
  const input = members.get("rawInput");
  if (input !== undefined) members.set("rawInput", shortInput(input, note));
  const meta = members.get("_meta");
  if (meta !== undefined) members.set("_meta", shortMeta(meta));
  if (![...before].some(([name, value]) => members.get(name) !== value)) return undefined;
  // Whoever is shown the call sees that something was here.
  if (isBegin && !isShown) members.set("content", listOf([...itemsIn(content), noteItem(note)]));
  return objectText(members);
}

function itemsIn(content: string | undefined): string[] {
  return content?.startsWith("[") === true ? itemsOf(content) : [];
}

/** Whether something went, and the note stands in its place. */
function setContent(members: Map<string, string>, content: string, note: string): boolean {
  let isNoted = false;
  let isLess = false;
  const kept: string[] = [];
  for (const item of itemsOf(content)) {
    if (item.length <= shortChars || !item.startsWith("{")) kept.push(item);
    else if (membersOf(item).get("type") === '"diff"') {
      kept.push(diffWithout(item, note));
      isLess = true;
    } else if (!isNoted) {
      kept.push(noteItem(note));
      [isNoted, isLess] = [true, true];
    }
  }
  if (isLess) members.set("content", listOf(kept));
  return isLess;
}

function diffWithout(item: string, note: string): string {
  const members = membersOf(item);
  const [before, after] = [members.get("oldText") ?? "", members.get("newText") ?? ""];
  const isLong = after.length > shortChars;
  if (isLong) members.set("newText", JSON.stringify(note));
  if (before.length > shortChars) members.set("oldText", isLong ? '""' : JSON.stringify(note));
  const meta = members.get("_meta");
  if (meta !== undefined) members.set("_meta", shortMeta(meta));
  return objectText(members);
}

function noteItem(note: string): string {
  return JSON.stringify({ type: "content", content: { type: "text", text: note } });
}

function listOf(items: readonly string[]): string {
  return `[${items.join(",")}]`;
}

/** What is long of an object goes; undefined for what is none, or has nothing else. */
function shortMembers(value: string, most: number): string | undefined {
  if (!value.startsWith("{")) return undefined;
  const kept = new Map([...membersOf(value)].filter(([, text]) => text.length <= most));
  return kept.size === 0 ? undefined : objectText(kept);
}

function shortInput(input: string, note: string): string {
  if (input.length <= shortInputChars) return input;
  if (!input.startsWith("{")) return JSON.stringify(note);
  const members = membersOf(input);
  for (const [name, value] of members)
    if (value.length > shortInputChars) members.set(name, JSON.stringify(note));
  return objectText(members);
}

/** Agents put what a tool gave here, too, under a name of their own. */
function shortMeta(meta: string): string {
  if (meta.length <= shortInputChars || !meta.startsWith("{")) return meta;
  const members = membersOf(meta);
  for (const [name, value] of members) {
    if (value.length <= shortInputChars) continue;
    const rest = shortMembers(value, shortInputChars);
    if (rest === undefined) members.delete(name);
    else members.set(name, rest);
  }
  return objectText(members);
}
