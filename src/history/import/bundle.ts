/**
 * Bundles, which `export` writes (`history/export/bundle.ts`): read twice, first to its end for its count and its hash, so
 * that nothing comes of one that is cut off, edited or of another version, then to be brought in.
 */
import { createHash } from "node:crypto";
import { reasonOf, SidecarError } from "../../base/errors.ts";
import { isRecord, objectIn } from "../../base/json.ts";
import { entrySchema } from "../../session/schema.ts";
import type { NewEntry } from "../../store/contract.ts";
import { bundleStart, bundleVersion } from "../export/bundle.ts";
import { fileEnds } from "../export/formats.ts";
import { filesBelow, type FoundFile } from "./files.ts";
import { bytesOf, linesOf } from "./lines.ts";
import {
  isTime,
  type HistoryReader,
  type NativeBatch,
  type NativeFacts,
  type NativeSession,
  type Report,
} from "./native.ts";

/** An entry has 64 MiB at most; as a text in JSON it may have six times as much. */
const maxLineBytes = 400 << 20;
const batchChars = 1 << 20;

/** What a bundle says of itself, once it is known to be whole. */
interface Head {
  readonly id: string;
  readonly facts: NativeFacts;
  readonly sha256: string;
}

/** @param isHere whether there is such a session already: the one that the bundle was made of */
export function bundlesFor(isHere: (id: string) => Promise<boolean>): HistoryReader {
  return {
    places: () => [],
    async *sessions(place, report) {
      const files = [...filesBelow(place, { file: (name) => name.endsWith(fileEnds.bundle) }, report)];
      for (const file of files) {
        // A file that is named is meant, whatever its name, and its fault is that of the command.
        const head = file.path === place ? await headOf(file.path) : await checked(file, report);
        if (head === undefined) continue;
        if (await isHere(head.id))
          report({
            path: file.path,
            reason: `not imported: ${head.id} is a session here already`,
            isPending: true,
          });
        else yield sessionIn(file, head);
      }
    },
  };
}

function sessionIn({ path, bytes, modifiedAtMs }: FoundFile, { id, facts, sha256 }: Head): NativeSession {
  return {
    source: "bundle",
    nativeId: id,
    path,
    stamp: sha256,
    modifiedAtMs,
    bytes,
    read: (report) => batchesIn(path, facts, report),
  };
}

/** Undefined, and told, for what is no bundle as it was written. */
async function checked(file: FoundFile, report: Report): Promise<Head | undefined> {
  try {
    return await headOf(file.path);
  } catch (error) {
    report({ path: file.path, reason: reasonOf(error) });
    return undefined;
  }
}

/** Errors: `BUNDLE_INVALID`; the system's own. */
export async function headOf(path: string): Promise<Head> {
  const hash = createHash("sha256");
  let [number, entries] = [0, 0];
  let record: Readonly<Record<string, unknown>> = {};
  let end: unknown;
  for await (const { lines } of linesOf(bytesOf(path), path, tooLong, maxLineBytes)) {
    for (const { text } of lines) {
      number += 1;
      if (end !== undefined) throw invalid("goes on behind its end");
      const fields = fieldsIn(text, number);
      if (number === 1) checkVersion(text, fields);
      else if (number === 2) record = recordIn(fields);
      else if ("end" in fields) end = fields["end"];
      else entries += checkedEntry(fields, entries + 1);
      if (end === undefined) hash.update(text).update("\n");
    }
  }
  const sha256 = hash.digest("hex");
  if (!isRecord(end)) throw invalid("is cut off: it has no end");
  if (end["entries"] !== entries)
    throw invalid(`has ${entries} entries and should have ${String(end["entries"])}`);
  if (end["sha256"] !== sha256) throw invalid("was changed after it was written: its hash is another one");
  return { id: String(record["id"]), facts: factsIn(record), sha256 };
}

function invalid(what: string): SidecarError {
  return new SidecarError("BUNDLE_INVALID", `The bundle ${what}; export it again`);
}

function tooLong(): never {
  throw invalid("has a line that is too long");
}

function fieldsIn(text: string, line: number): Readonly<Record<string, unknown>> {
  const fields = objectIn(text);
  if (fields !== undefined) return fields;
  throw line === 1
    ? new SidecarError("BUNDLE_INVALID", "This is no bundle")
    : invalid(`is cut off or broken at line ${line}`);
}

function checkVersion(text: string, fields: Readonly<Record<string, unknown>>): void {
  const version = fields["acp-sidecar.bundle"];
  if (!text.startsWith(bundleStart) || typeof version !== "number")
    throw new SidecarError("BUNDLE_INVALID", "This is no bundle");
  if (version !== bundleVersion)
    throw new SidecarError(
      "BUNDLE_INVALID",
      `The bundle is of version ${version}, and this acp-sidecar reads version ${bundleVersion}; use a newer one`,
    );
}

function recordIn({ record }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (!isRecord(record) || typeof record["id"] !== "string" || record["id"] === "")
    throw invalid("says of no session whose it is");
  const { cwd, createdAtMs, updatedAtMs } = record;
  for (const time of [createdAtMs, updatedAtMs])
    if (time !== undefined && !isTime(time)) throw invalid("has a time that there is not");
  if (typeof cwd === "string" && cwd.includes("\0")) throw invalid("has a folder that there cannot be");
  return record;
}

/** Of what it counts, one. */
function checkedEntry(fields: Readonly<Record<string, unknown>>, seq: number): 1 {
  const entry = entrySchema.safeParse(fields).data;
  if (entry?.seq === seq && isTime(entry.atMs) && objectIn(entry.data) !== undefined) return 1;
  throw invalid(`has something else where entry ${seq} should be`);
}

function factsIn({
  cwd,
  title,
  createdAtMs,
  updatedAtMs,
  agent,
}: Readonly<Record<string, unknown>>): NativeFacts {
  const time = (value: unknown) => (isTime(value) ? value : undefined);
  return {
    cwd: typeof cwd === "string" ? cwd : undefined,
    title: typeof title === "string" ? title : undefined,
    createdAtMs: time(createdAtMs),
    updatedAtMs: time(updatedAtMs),
    agent: isRecord(agent) ? agent : {},
  };
}

async function* batchesIn(path: string, facts: NativeFacts, report: Report): AsyncGenerator<NativeBatch> {
  let entries: NewEntry[] = [];
  let [number, chars, read] = [0, 0, 0];
  for await (const { lines, bytes } of linesOf(bytesOf(path), path, report, maxLineBytes)) {
    read += bytes;
    for (const { text } of lines) {
      number += 1;
      const fields = number > 2 ? fieldsIn(text, number) : {};
      if (typeof fields["data"] !== "string") continue;
      const { kind, atMs, data } = fields as unknown as NewEntry;
      entries.push({ kind, atMs, data });
      chars += data.length;
    }
    if (chars < batchChars) continue;
    yield { entries, facts, bytes: read };
    [entries, chars, read] = [[], 0, 0];
  }
  yield { entries, facts, bytes: read };
}
