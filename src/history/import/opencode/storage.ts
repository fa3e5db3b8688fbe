/** The older keeping of opencode: a file of JSON for each session, message and part. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { reasonOf } from "../../../base/errors.ts";
import { isRecord } from "../../../base/json.ts";
import { filesBelow, filesIn, stampOf, type FoundFile } from "../files.ts";
import { maxLineBytes } from "../lines.ts";
import type { Report } from "../native.ts";
import { recordIn, textIn, type Fields } from "../records.ts";
import type { Keeping, KeptMessage, KeptPart, KeptSession } from "./kept.ts";

const isJson = (name: string) => name.endsWith(".json");

export class Storage implements Keeping {
  readonly path: string;
  readonly #report: Report;

  constructor(path: string, report: Report) {
    this.path = path;
    this.#report = report;
  }

  sessions(): readonly KeptSession[] {
    const files = [...filesBelow(join(this.path, "session"), { file: isJson }, this.#report)];
    return files.flatMap((file) => {
      const fields = this.#read(file);
      const id = fields && textIn(fields, "id");
      if (fields === undefined || id === undefined) return [];
      const { created, updated } = timesIn(fields);
      const revert = recordIn(fields, "revert") ?? {};
      const messageId = textIn(revert, "messageID");
      return [
        {
          id,
          parentId: textIn(fields, "parentID"),
          directory: textIn(fields, "directory"),
          title: textIn(fields, "title"),
          createdAtMs: created ?? file.modifiedAtMs,
          updatedAtMs: updated ?? file.modifiedAtMs,
          revert: messageId === undefined ? undefined : { messageId, partId: textIn(revert, "partID") },
        },
      ];
    });
  }

  *messages(sessionId: string): Generator<KeptMessage> {
    // Their ids sort by their time.
    for (const file of this.#filesOf("message", sessionId)) {
      const info = this.#read(file);
      const id = info && textIn(info, "id");
      if (info === undefined || id === undefined) continue;
      const parts = this.#filesOf("part", id).flatMap((each): KeptPart[] => {
        const fields = this.#read(each);
        return fields === undefined ? [] : [{ id: textIn(fields, "id") ?? each.name, fields }];
      });
      const role = textIn(info, "role") === "user" ? "user" : "assistant";
      yield { id, role, info, parts, atMs: timesIn(info).created ?? NaN };
    }
  }

  stampOf({ id, updatedAtMs }: KeptSession): string {
    return `${updatedAtMs}-${stampOf(this.#filesOf("message", id))}`;
  }

  bytesOf(sessionId: string): number {
    return this.#filesOf("message", sessionId).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  close(): void {
    // Nothing is open.
  }

  #filesOf(kind: "message" | "part", id: string): FoundFile[] {
    // A name that would lead elsewhere is none of its ids.
    return /^\w{1,100}$/.test(id) ? filesIn(join(this.path, kind, id), isJson, this.#report) : [];
  }

  #read({ path, bytes }: FoundFile): Fields | undefined {
    if (bytes > maxLineBytes) {
      this.#report({ path, reason: `is longer than ${maxLineBytes} bytes` });
      return undefined;
    }
    try {
      const value: unknown = JSON.parse(readFileSync(path, "utf8"));
      if (isRecord(value)) return value;
      this.#report({ path, reason: "is no JSON object" });
    } catch (error) {
      this.#report({
        path,
        reason: error instanceof SyntaxError ? "is no JSON" : `cannot be read: ${reasonOf(error)}`,
      });
    }
    return undefined;
  }
}

function timesIn(fields: Fields): { created?: number; updated?: number } {
  const { created, updated } = recordIn(fields, "time") ?? {};
  return {
    ...(typeof created === "number" && { created }),
    ...(typeof updated === "number" && { updated }),
  };
}
