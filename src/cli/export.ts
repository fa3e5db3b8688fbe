/** `export`: sessions as Markdown, HTML, JSON, JSONL or a bundle; one to stdout or a file, several into a folder. */
import { rmdirSync, statSync } from "node:fs";
import path from "node:path";
import { SidecarError } from "../base/errors.ts";
import { makeDirectory } from "../base/disk.ts";
import { SessionExport } from "../history/export/export.ts";
import { exportFileName } from "../history/export/file-name.ts";
import { exportFormatNamed, exportFormats, fileEnds, type ExportFormat } from "../history/export/formats.ts";
import { saveText } from "../history/export/save.ts";
import { readWhole } from "../session/read-whole.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { interruptible } from "./interrupt.ts";
import type { LeftOut } from "./left-out.ts";
import { countText, oneLine, Outflow, print, printJson } from "./print.ts";
import { Progress } from "./progress.ts";
import { sessionsOf } from "./sessions-filter.ts";
import { sessionAt, withSessions } from "./sessions.ts";
import { isUnreadable } from "../base/unreadable.ts";
import { sizeText } from "../base/size-text.ts";

interface Saved {
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
  readonly redactions?: number;
}

export function exportSessions(invocation: Invocation, io: Io): Promise<number> {
  const { flags, operands } = invocation;
  const out = flags["out"] === undefined ? undefined : path.resolve(String(flags["out"]));
  const format = formatFrom(flags["format"], out);
  if (flags["all"] === true && operands.length > 0)
    throw new SidecarError("USAGE", "--all is every session; leave out the ids, or --all");
  if (flags["all"] !== true && operands.length === 0)
    throw new SidecarError("USAGE", "nothing to export: name sessions, such as last, or use --all");
  if (flags["archived"] === true && flags["all"] !== true)
    throw new SidecarError("USAGE", "--archived goes with --all; a session that is named is exported anyway");
  return withSessions(invocation, io, async (registry, _, leftOut) => {
    const named = await recordsOf(registry, operands, io);
    if (out === undefined) return toStdout(registry, named, invocation, io, format);
    const isFolder = named.length !== 1 || isDirectory(out) || /[\\/]$/.test(String(flags["out"]));
    const isNew = isFolder && !isDirectory(out);
    if (isFolder) makeFolder(out);
    const archived = flags["archived"] === true ? "include" : "exclude";
    const records = flags["all"] === true ? sessionsOf(registry, { filter: { archived } }, Infinity) : named;
    const placeOf = (record: SessionRecord) =>
      isFolder ? path.join(out, exportFileName(record, format)) : out;
    const passOver = isFolder ? leftOut.note : undefined;
    const saving = saveEach({ registry, records, placeOf, format, passOver }, invocation, io);
    const saved = await saving.catch((error: unknown) => {
      if (isNew) removeIfEmpty(out);
      throw error;
    });
    await report(saved, out, invocation, io);
    if (flags["all"] === true && archived === "exclude") await tellLeftOut(registry, io);
    return 0;
  });
}

/** As it is named, or by the end of the file's name. Errors: `USAGE`. */
function formatFrom(given: string | true | undefined, out: string | undefined): ExportFormat {
  if (given === undefined) {
    const byName = exportFormats.find((name) => out !== undefined && out.endsWith(fileEnds[name]));
    return byName ?? "markdown";
  }
  const format = exportFormatNamed(String(given));
  if (format !== undefined) return format;
  throw new SidecarError(
    "USAGE",
    `--format is ${JSON.stringify(given)}; allowed: ${exportFormats.join(", ")}`,
  );
}

async function recordsOf(
  registry: SessionRegistry,
  addresses: readonly string[],
  io: Io,
): Promise<readonly SessionRecord[]> {
  const found = new Map<string, SessionRecord>();
  for (const address of addresses) {
    const record = await sessionAt(registry, address, io);
    found.set(record.id, record);
  }
  return [...found.values()];
}

const dataFormats: ReadonlySet<ExportFormat> = new Set(["json", "jsonl", "bundle"]);

async function toStdout(
  registry: SessionRegistry,
  records: readonly SessionRecord[],
  { flags }: Invocation,
  io: Io,
  format: ExportFormat,
): Promise<number> {
  const [record] = records;
  if (record === undefined || records.length > 1)
    throw new SidecarError("USAGE", "several sessions need a folder: --out DIR");
  const exported = new SessionExport(registry, record, optionsFrom(flags, format));
  const flow = new Outflow({ ...io, isJson: dataFormats.has(format) });
  for await (const text of exported) if (!(await flow.write(text))) return 0;
  if (flags["redact"] === true) io.errors.write(`acp-sidecar: ${redactedText(exported.redactions)}\n`);
  return 0;
}

function optionsFrom(flags: Invocation["flags"], format: ExportFormat) {
  return {
    format,
    redact: flags["redact"] === true,
    thoughts: flags["no-thoughts"] !== true,
    superseded: flags["superseded"] === true,
  };
}

interface Saving {
  readonly registry: SessionRegistry;
  readonly records: Iterable<SessionRecord> | AsyncIterable<SessionRecord>;
  readonly placeOf: (record: SessionRecord) => string;
  readonly format: ExportFormat;
  /** Told of each whose entries cannot be read, where others go on; without it that is an error. */
  readonly passOver: LeftOut["note"] | undefined;
}

function saveEach(
  { registry, records, placeOf, format, passOver }: Saving,
  invocation: Invocation,
  io: Io,
): Promise<readonly Saved[]> {
  const { flags } = invocation;
  const force = flags["force"] === true;
  const progress = new Progress(invocation, io, "export");
  const saved: Saved[] = [];
  const howToGoOn = () =>
    `${countText(saved.length, "session")} written; nothing is left of what was not finished`;
  return interruptible(howToGoOn, async (signal) => {
    try {
      for await (const record of records) {
        signal.throwIfAborted();
        progress.stage(`exporting ${record.id}`);
        const place = placeOf(record);
        const saving = readWhole(async () => {
          const now = await registry.get(record.id);
          const exported = new SessionExport(registry, now, optionsFrom(flags, format));
          const onProgress = () => progress.at(0, 0);
          const bytes = await saveText(place, exported.texts(), { force, signal, onProgress });
          return { bytes, redactions: exported.redactions };
        });
        const done = await unlessUnreadable(saving, record, passOver);
        if (done === undefined) continue;
        const { bytes, redactions } = done;
        saved.push({ id: record.id, path: place, bytes, ...(flags["redact"] === true && { redactions }) });
      }
    } finally {
      progress.end();
    }
    return saved;
  });
}

async function unlessUnreadable<T>(
  saving: Promise<T>,
  { id }: SessionRecord,
  passOver: LeftOut["note"] | undefined,
): Promise<T | undefined> {
  try {
    return await saving;
  } catch (error) {
    if (passOver === undefined || !isUnreadable(error)) throw error;
    passOver({ id, code: error.code });
    return undefined;
  }
}

async function report(saved: readonly Saved[], out: string, { flags }: Invocation, io: Io): Promise<void> {
  if (flags["json"] === true) return printJson(io, saved);
  const bytes = saved.reduce((sum, each) => sum + each.bytes, 0);
  const [only] = saved;
  const what =
    saved.length === 1 && only !== undefined
      ? `Exported ${only.id} to ${oneLine(only.path)}`
      : `Exported ${countText(saved.length, "session")} to ${oneLine(out)}`;
  await print(io, `${what} (${sizeText(bytes)})\n`);
  if (flags["redact"] !== true) return;
  const places = saved.reduce((sum, each) => sum + (each.redactions ?? 0), 0);
  await print(io, `${redactedText(places)}\n`);
}

/** On stderr: stdout may be for a program. */
async function tellLeftOut(registry: SessionRegistry, io: Io): Promise<void> {
  const count = await registry.count({ archived: "only" });
  if (count === 0) return;
  const what = `${countText(count, "archived session")} left out; --archived takes them, too`;
  io.errors.write(`acp-sidecar: ${what}\n`);
}

function redactedText(places: number): string {
  const what = places === 0 ? "Nothing looked like a secret" : `${countText(places, "place")} redacted`;
  return `${what}; what does not look like a secret stays, so read it before you share it`;
}

/** Errors: `FILE_FAILED`. */
function makeFolder(folder: string): void {
  try {
    makeDirectory(folder);
  } catch (error) {
    throw new SidecarError("FILE_FAILED", `${folder} cannot be made a folder; name another with --out`, {
      cause: error,
    });
  }
}

/** Of what failed nothing is left. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Something was written before it failed.
  }
}

function isDirectory(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
}
