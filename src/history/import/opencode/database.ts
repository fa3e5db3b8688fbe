/** The database of opencode, read only, beside a program that may be writing. Its events are never read: they are most of it. */
import { isRecord } from "../../../base/json.ts";
import { loadEngine } from "../../../sqlite/engines.ts";
import type { Database } from "../../../sqlite/engine.ts";
import type { Report } from "../native.ts";
import { recordIn, textIn, type Fields } from "../records.ts";
import type { Keeping, KeptMessage, KeptPart, KeptSession } from "./kept.ts";
import { messageOfRow } from "./newer.ts";

const busyTimeoutMs = 5000;
const pageLength = 50;
/** Nobody knows how long a part is before it is read. */
const bytesPerPart = 1024;

interface Row {
  readonly id: string;
  readonly at: number;
  readonly type?: string;
  readonly data: string;
}

export async function openDatabase(path: string, report: Report): Promise<Keeping> {
  const engine = await loadEngine();
  return new OpencodeDatabase(path, engine.open(path, busyTimeoutMs, "ro"), report);
}

class OpencodeDatabase implements Keeping {
  readonly path: string;
  readonly #db: Database;
  readonly #report: Report;
  readonly #hasNewer: boolean;

  constructor(path: string, db: Database, report: Report) {
    this.path = path;
    this.#db = db;
    this.#report = report;
    this.#hasNewer = this.#columnsOf("session_message").has("data");
  }

  sessions(): readonly KeptSession[] {
    const known = this.#columnsOf("session");
    const column = (name: string) => (known.has(name) ? name : `NULL AS ${name}`);
    const names = ["id", "parent_id", "directory", "title", "revert", "time_created", "time_updated"];
    const rows = this.#db.prepare<[], Fields>(`SELECT ${names.map(column).join(", ")} FROM session`).all();
    return rows.flatMap((row) => {
      const id = textIn(row, "id");
      return id === undefined ? [] : [sessionOf(id, row, this.#parsed(textIn(row, "revert"), id))];
    });
  }

  *messages(sessionId: string): Generator<KeptMessage> {
    yield* this.#isNewer(sessionId) ? this.#newer(sessionId) : this.#older(sessionId);
  }

  stampOf({ id, updatedAtMs, revert }: KeptSession): string {
    const older = this.#db
      .prepare<[string], unknown[]>("SELECT count(*), max(time_updated) FROM message WHERE session_id = ?")
      .raw()
      .get(id);
    return [
      updatedAtMs,
      ...(older ?? []),
      this.#partsOf(id),
      this.#newest("session_message", id),
      revert?.messageId,
    ].join("-");
  }

  bytesOf(sessionId: string): number {
    return this.#partsOf(sessionId) * bytesPerPart;
  }

  close(): void {
    this.#db.close();
  }

  /** Both generations may stand side by side: the one that was written to last is the session. */
  #isNewer(sessionId: string): boolean {
    return this.#hasNewer && this.#newest("session_message", sessionId) > this.#newest("message", sessionId);
  }

  #newest(table: "message" | "session_message", sessionId: string): number {
    if (table === "session_message" && !this.#hasNewer) return 0;
    const sql = `SELECT max(time_created) FROM ${table} WHERE session_id = ?`;
    return Number(this.#db.prepare<[string], unknown>(sql).pluck().get(sessionId) ?? 0);
  }

  #partsOf(sessionId: string): number {
    const sql = "SELECT count(*) FROM part WHERE session_id = ?";
    return Number(this.#db.prepare<[string], unknown>(sql).pluck().get(sessionId) ?? 0);
  }

  *#older(sessionId: string): Generator<KeptMessage> {
    const parts = this.#db.prepare<[string], Row>(
      "SELECT id, data FROM part WHERE message_id = ? ORDER BY id",
    );
    for (const { id, at, data } of this.#pages("message", sessionId)) {
      const info = this.#parsed(data, id);
      if (info === undefined) continue;
      const kept = parts.all(id).flatMap((part): KeptPart[] => {
        const fields = this.#parsed(part.data, part.id);
        return fields === undefined ? [] : [{ id: part.id, fields }];
      });
      const role = textIn(info, "role") === "user" ? "user" : "assistant";
      const created = (recordIn(info, "time") ?? {})["created"];
      yield { id, role, info, parts: kept, atMs: typeof created === "number" ? created : at };
    }
  }

  *#newer(sessionId: string): Generator<KeptMessage> {
    for (const { id, at, type = "", data } of this.#pages("session_message", sessionId)) {
      const fields = this.#parsed(data, id);
      const message = fields === undefined ? undefined : messageOfRow({ id, atMs: at, type, fields });
      if (message !== undefined) yield message;
    }
  }

  /** By keyset, so that the connection is free between two of them. */
  *#pages(table: "message" | "session_message", sessionId: string): Generator<Row> {
    const isOrdered = this.#columnsOf(table).has("seq");
    const key = isOrdered ? "seq" : "time_created";
    const type = table === "session_message" ? ", type" : "";
    const rows = this.#db.prepare<[string, number, string, number], Row & { key: number }>(
      `SELECT id, time_created AS at, ${key} AS key, data${type} FROM ${table}
       WHERE session_id = ? AND (${key}, id) > (?, ?) ORDER BY ${key}, id LIMIT ?`,
    );
    let last: { key: number; id: string } = { key: -1, id: "" };
    for (;;) {
      const page = rows.all(sessionId, last.key, last.id, pageLength);
      yield* page;
      const end = page.at(-1);
      if (end === undefined || page.length < pageLength) return;
      last = end;
    }
  }

  #columnsOf(table: string): ReadonlySet<unknown> {
    const sql = "SELECT name FROM pragma_table_info(?)";
    return new Set(this.#db.prepare<[string], unknown>(sql).pluck().all(table));
  }

  #parsed(text: string | undefined, id: string): Fields | undefined {
    if (text === undefined) return undefined;
    try {
      const value: unknown = JSON.parse(text);
      if (isRecord(value)) return value;
      if (value === null) return undefined;
    } catch {
      // Told below.
    }
    this.#report({ path: `${this.path}:${id}`, reason: "is no JSON object" });
    return undefined;
  }
}

function sessionOf(id: string, row: Fields, revert: Fields | undefined): KeptSession {
  const messageId = revert && textIn(revert, "messageID");
  const [created, updated] = [row["time_created"], row["time_updated"]];
  const createdAtMs = typeof created === "number" ? created : 0;
  return {
    id,
    parentId: textIn(row, "parent_id"),
    directory: textIn(row, "directory"),
    title: textIn(row, "title"),
    createdAtMs,
    updatedAtMs: typeof updated === "number" ? updated : createdAtMs,
    revert: messageId === undefined ? undefined : { messageId, partId: textIn(revert ?? {}, "partID") },
  };
}
