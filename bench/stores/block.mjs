/** The bytes that the network stores keep for a batch of entries, so that a floor writes as many. */
import { createHash } from "node:crypto";

export function blockOf(first, entries) {
  const heads = entries.map(({ kind, atMs, data }) => `${kind} ${atMs} ${data.length}`);
  return `${first} ${entries.length} ${heads.join(" ")}\n${entries.map(({ data }) => data).join("")}`;
}

/** What sessions with this value in their metadata are found by. */
export function termOf(key, value) {
  const text = JSON.stringify(["metadata", key, value]);
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
