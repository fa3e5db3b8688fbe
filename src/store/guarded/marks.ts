/** Whose a session is and with whom it is shared, as its metadata say it. Nobody sees these keys above the guard. */
import { objectIn } from "../../base/json.ts";
import type { Metadata, MetadataChanges } from "../contract.ts";
import { isPermission, type Permission } from "./permissions.ts";

const ownerKey = "acp-sidecar.owner";
/** Beside every owner, because a list asks for what has none. */
const ownedKey = "acp-sidecar.owned";
/** With the name behind it: one for lists to ask by, one for what is allowed. */
const withKey = "acp-sidecar.with ";
const shareKey = "acp-sidecar.share ";

/** What others know of records that are no sessions (session/hidden.ts, originals.ts). */
const hiddenKey = "acp-sidecar.hidden";
const ofKey = "acp-sidecar.of";

/** Records that have nobody. */
export const owned: Metadata = { [ownedKey]: true };

export function ownedBy(name: string): Metadata {
  return { [ownerKey]: name, ...owned };
}

export function sharedWith(name: string): Metadata {
  return { [withKey + name]: true };
}

export function isOwned(metadata: Metadata): boolean {
  return Object.hasOwn(metadata, ownedKey);
}

export function ownerOf(metadata: Metadata): string | undefined {
  return isOwned(metadata) ? String(metadata[ownerKey]) : undefined;
}

export interface Share {
  readonly with: string;
  readonly permissions: readonly Permission[];
  readonly by: string;
  readonly atMs: number;
  /** When it ends; absent: never. */
  readonly untilMs?: number;
}

export function shareChanges({ with: name, ...facts }: Share): MetadataChanges {
  return { [withKey + name]: true, [shareKey + name]: JSON.stringify(facts) };
}

export function unshareChanges(name: string): MetadataChanges {
  return { [withKey + name]: null, [shareKey + name]: null };
}

/** Those that have not ended. */
export function sharesIn(metadata: Metadata, nowMs: number): readonly Share[] {
  if (!isOwned(metadata)) return [];
  const names = Object.keys(metadata).filter((key) => key.startsWith(shareKey));
  return names.flatMap((key) => shareWith(metadata, key.slice(shareKey.length), nowMs) ?? []);
}

export function shareWith(metadata: Metadata, name: string, nowMs: number): Share | undefined {
  const key = shareKey + name;
  const text = Object.hasOwn(metadata, key) ? metadata[key] : undefined;
  const facts = typeof text === "string" ? objectIn(text) : undefined;
  if (facts === undefined || !Array.isArray(facts["permissions"])) return undefined;
  const { permissions, by, atMs, untilMs } = facts;
  if (untilMs !== undefined && !(typeof untilMs === "number" && untilMs > nowMs)) return undefined;
  return {
    with: name,
    permissions: permissions.filter((each): each is Permission => isPermission(String(each))),
    by: String(by),
    atMs: Number(atMs),
    ...(untilMs !== undefined && { untilMs }),
  };
}

/** Whether a key is one of these. */
export function isMark(key: string): boolean {
  return key === ownerKey || key === ownedKey || key.startsWith(withKey) || key.startsWith(shareKey);
}

/** What everybody else sees. The same object where there is nothing of ours in it. */
export function withoutMarks<M extends MetadataChanges>(metadata: M): M {
  if (!Object.keys(metadata).some(isMark)) return metadata;
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !isMark(key))) as M;
}

/** What makes `before` into `after`, and leaves the marks alone. */
export function changesTo(before: Metadata, after: Metadata): MetadataChanges {
  const gone = Object.keys(before).filter((key) => !isMark(key) && !Object.hasOwn(after, key));
  const set = Object.entries(after).filter(
    ([key, value]) => !isMark(key) && !(Object.hasOwn(before, key) && before[key] === value),
  );
  return Object.fromEntries([...gone.map((key) => [key, null] as const), ...set]);
}

/** Why a record is no session, if it is none: `trashed`, `deleted` … */
export function hiddenAs(metadata: MetadataChanges): string | undefined {
  const why = Object.hasOwn(metadata, hiddenKey) ? metadata[hiddenKey] : undefined;
  return typeof why === "string" ? why : undefined;
}

/** The session to which a hidden record belongs. */
export function sessionOf(metadata: Metadata): string | undefined {
  const of = Object.hasOwn(metadata, ofKey) ? metadata[ofKey] : undefined;
  return hiddenAs(metadata) === "originals" && typeof of === "string" ? of : undefined;
}
