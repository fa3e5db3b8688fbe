/** What a commit is worth on this server when the power fails. */
import { write, type Operation } from "../operation.ts";
import type { Send } from "./database.ts";

/**
 * `onCommit` — every commit is on disk when it is answered; `onFlush` — commits are answered before, and a
 * flush puts all earlier ones on disk; `none` — the server promises nothing.
 */
export type SyncPolicy = "onCommit" | "onFlush" | "none";

interface Settings {
  readonly version: string;
  readonly fsync: string | null;
  readonly commits: string | null;
}

export async function readSyncPolicy(send: Send): Promise<SyncPolicy> {
  const text = `SELECT version() AS version, current_setting('fsync', true) AS fsync,
    current_setting('synchronous_commit', true) AS commits`;
  const { rows } = await send<Settings>(text);
  return rows[0] === undefined ? "none" : judge(rows[0]);
}

export function judge({ version, fsync, commits }: Settings): SyncPolicy {
  // It syncs its log before it answers, whatever settings it shows for compatibility.
  if (version.includes("CockroachDB")) return "onCommit";
  // It syncs its log once a second unless told otherwise where SQL cannot look (durable_wal_write).
  if (version.includes("-YB-")) return "none";
  if (fsync !== "on") return "none";
  return commits === "off" ? "onFlush" : "onCommit";
}

/** The log is written in order: once this commit is on disk, so are all before it, on any connection. */
export function* flushCommits(schema: string): Operation<void> {
  yield* write({ name: "", text: "SET LOCAL synchronous_commit TO on" });
  yield* write({ name: "", text: `UPDATE ${schema}.meta SET version = version WHERE one = 1` });
}
