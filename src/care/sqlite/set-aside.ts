/** What a repair leaves beside the database for people: a report, and what belongs to no session as text. */
import { closeSync, fsyncSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "../../sqlite/engine.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Repair } from "../damage.ts";
import { kindIn } from "../../store/sql/sqlite/mark.ts";

/** By journal, or by session where its id is known: a line for the record, if there is one, and one per entry. */
export function writeAside(
  directory: string,
  db: Database,
  { no, id, facts }: { no: number; id: SessionId | undefined; facts: string | undefined },
): void {
  const rows = db
    .prepare<[number, number], [number, number, number, string]>(
      `SELECT key & 0xffffffff, at_ms, kind, data FROM entries
       WHERE key > ? << 32 AND key < (? + 1) << 32 ORDER BY key`,
    )
    .raw();
  const lines = function* () {
    if (facts !== undefined) yield `{"record":${facts}}\n`;
    for (const [seq, atMs, mark, data] of rows.iterate(no, no)) {
      const at = JSON.stringify(new Date(atMs).toISOString());
      yield `{"seq":${seq},"at":${at},"kind":"${kindIn(mark)}","data":${data}}\n`;
    }
  };
  writeDurably(join(directory, `${id ?? `journal-${no}`}.jsonl`), lines());
}

export function writeReport(directory: string, { entries, damage }: Repair): void {
  const report = { repairedAt: new Date().toISOString(), soundEntries: entries, damage };
  writeDurably(join(directory, "report.json"), [`${JSON.stringify(report, undefined, 2)}\n`]);
}

function writeDurably(path: string, texts: Iterable<string>): void {
  const file = openSync(path, "wx", 0o600);
  try {
    for (const text of texts) writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
