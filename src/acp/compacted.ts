/**
 * What an old entry becomes that is compacted: what a tool gave, what was thought and what files held make room for a short
 * note, and a hash says what stood there. What was said stays, and of a tool call what it was and how it ended.
 */
import { membersOf, objectText } from "../base/json-text.ts";
import { isRecord, objectIn } from "../base/json.ts";
import { sha256Of } from "../base/sha256.ts";
import type { NewEntry } from "../store/contract.ts";
import { linkIn, withLink, withoutLink } from "./chain-link.ts";
import { childIn, withChild } from "./child-mark.ts";
import { callWithoutOutput } from "./compacted-call.ts";
import { means, updateKindOf, updateKinds } from "./kinds.ts";
import { lastHeardMark } from "./last-heard.ts";
import { metaKey } from "./meta.ts";

/** What is known of the data that stood there. It stands in the `_meta` of the entry's data, under our name. */
export interface CompactedFrom {
  /** Of its UTF-8, in hex. */
  readonly sha256: string;
  /** How long it was. */
  readonly bytes: number;
}

/** A note takes more room than what is shorter. */
const shortestData = 300;
const member = "compacted";
/** Any other text is none that we wrote. */
const sha256Form = /^[0-9a-f]{64}$/;
/** Without the quotation mark before it: with that so much begins in JSON that to look takes three times as long. */
const sign = `${member}":{"sha256":"`;

/** The entry in less room; undefined where nothing of it may go, it would not be smaller, or it is compacted already. */
export function compactedEntry(entry: NewEntry): NewEntry | undefined {
  if (entry.data.length < shortestData || compactedFrom(entry) !== undefined) return undefined;
  const bytes = Buffer.byteLength(entry.data);
  const note = `[compacted: ${bytes} bytes]`;
  const less = entry.kind === "update" ? updateWithout(entry.data, note) : exchangeWithout(entry, note);
  if (less === undefined) return undefined;
  const data = noted(less, { sha256: sha256Of(entry.data), bytes });
  return Buffer.byteLength(data) < bytes ? { ...entry, data } : undefined;
}

/** Nothing but the note that something stood there; undefined where nothing is to go. A link of the chain stays. */
export function erasedEntry(entry: NewEntry): NewEntry | undefined {
  // That the session went back is nobody's words, and says what counts.
  if (entry.kind === "rewind") return undefined;
  const link = linkIn(entry);
  const data = withoutLink(entry);
  const from = compactedFrom({ data }) ?? { sha256: sha256Of(data), bytes: Buffer.byteLength(data) };
  const erased = { ...entry, data: noted("{}", from) };
  if (erased.data === data) return undefined;
  return link === undefined ? erased : withLink(erased, link);
}

/** Undefined for an entry that is as it was written. */
export function compactedFrom({ data }: Pick<NewEntry, "data">): CompactedFrom | undefined {
  // Nearly none is, and to look costs less than to parse.
  if (!data.includes(sign)) return undefined;
  const { _meta } = objectIn(data) ?? {};
  const ours = isRecord(_meta) ? _meta[metaKey] : undefined;
  const { sha256, bytes } = isRecord(ours) && isRecord(ours[member]) ? ours[member] : {};
  if (typeof sha256 !== "string" || !sha256Form.test(sha256) || typeof bytes !== "number") return undefined;
  return { sha256, bytes };
}

/** Whether two entries say the same, or one says what the other did before it was compacted. */
export function isSameButCompacted(a: NewEntry, b: NewEntry): boolean {
  if (a.kind !== b.kind || a.atMs !== b.atMs) return false;
  if (a.data === b.data) return true;
  const [ofA, ofB] = [compactedFrom(a), compactedFrom(b)];
  if (ofA === undefined && ofB === undefined) return false;
  return (ofA?.sha256 ?? sha256Of(a.data)) === (ofB?.sha256 ?? sha256Of(b.data));
}

function noted(data: string, from: CompactedFrom): string {
  const members = membersOf(data);
  const meta = objectOr(members.get("_meta"));
  const ours = objectOr(meta.get(metaKey)).set(member, JSON.stringify(from));
  members.set("_meta", objectText(meta.set(metaKey, objectText(ours))));
  // It is looked for at the end.
  const lastHeard = members.get(lastHeardMark);
  members.delete(lastHeardMark);
  return objectText(lastHeard === undefined ? members : members.set(lastHeardMark, lastHeard));
}

function objectOr(text = "{}"): Map<string, string> {
  return text.startsWith("{") ? membersOf(text) : new Map<string, string>();
}

function updateWithout(data: string, note: string): string | undefined {
  const own = childIn(data);
  if (own !== undefined) {
    const less = updateWithout(own.data, note);
    return less === undefined ? undefined : withChild(less, own.child);
  }
  const kind = updateKindOf(data);
  if (means(kind, "toolCall")) return changed(data, "update", (update) => callWithoutOutput(update, note));
  if (updateKinds.get(kind)?.role !== "thought") return undefined;
  const content = JSON.stringify({ type: "text", text: note });
  return changed(data, "update", (update) => changed(update, "content", () => content));
}

/** What an agent read, wrote and had run through the client. */
const carried = [
  { kind: "response", method: '"terminal/output"', of: "result", member: "output" },
  { kind: "response", method: '"fs/read_text_file"', of: "result", member: "content" },
  { kind: "request", method: '"fs/write_text_file"', of: "params", member: "content" },
] as const;
const permission = '"session/request_permission"';

function exchangeWithout({ kind, data }: NewEntry, note: string): string | undefined {
  if (kind !== "request" && kind !== "response") return undefined;
  const method = membersOf(data).get("method");
  // Who was asked what and what was answered stays; the call that it is about is told elsewhere, too.
  if (kind === "request" && method === permission)
    return changed(data, "params", (params) =>
      changed(params, "toolCall", (call) => callWithoutOutput(call, note)),
    );
  const found = carried.find((each) => each.kind === kind && each.method === method);
  if (found === undefined) return undefined;
  return changed(data, found.of, (of) => changed(of, found.member, () => JSON.stringify(note)));
}

/** An object with another value in the place of a member; undefined where there is none to be changed. */
function changed(
  object: string,
  name: string,
  change: (value: string) => string | undefined,
): string | undefined {
  if (!object.startsWith("{")) return undefined;
  const members = membersOf(object);
  const value = members.get(name);
  const next = value === undefined ? undefined : change(value);
  return next === undefined ? undefined : objectText(members.set(name, next));
}
