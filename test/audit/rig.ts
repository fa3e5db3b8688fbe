/** An audit log in a folder of its own. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import { AuditLog, type AuditOptions } from "../../src/audit/log.ts";
import { silentLogger, type Logger } from "../../src/base/log.ts";

export function auditFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-audit-"));
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function openLog(file: string, options: Partial<AuditOptions> = {}): AuditLog {
  return new AuditLog({
    file,
    isRequired: false,
    who: "ann@host",
    place: "ann@host",
    via: "library",
    showsTitles: true,
    maxBytes: 1 << 20,
    maxFiles: 10,
    log: silentLogger,
    ...options,
  });
}

/** A log with so many records. */
export async function written(
  file: string,
  count: number,
  options: Partial<AuditOptions> = {},
): Promise<void> {
  const log = openLog(file, options);
  for (let at = 0; at < count; at += 1) log.note({ what: "session.rename", session: `s${at}` });
  await log.close();
}

export function warnings(): { readonly log: Logger; readonly said: string[] } {
  const said: string[] = [];
  const warn = (fields: object, message: string) => said.push(`${message} ${JSON.stringify(fields)}`);
  return { log: { ...silentLogger, warn: (fields, message) => void warn(fields, message) }, said };
}

export function recordsIn(file: string): Record<string, unknown>[] {
  return fs
    .readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
