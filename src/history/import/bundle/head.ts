/**
 * What a bundle is, which `export` writes (`history/export/bundle.ts`): read to its end for its count and its hash, so
 * that nothing comes of one that is cut off, edited or of another version.
 */
import { createHash } from "node:crypto";
import { SidecarError } from "../../../base/errors.ts";
import { isRecord, objectIn } from "../../../base/json.ts";
import { maxRewinds } from "../../../session/rewinding.ts";
import { rewindIn } from "../../../session/rewinds.ts";
import { entrySchema, sessionRecordSchema } from "../../../session/schema.ts";
import { given } from "../../../store/arguments.ts";
import type { Entry, NewSession, Rewind } from "../../../store/contract.ts";
import { isReserved } from "../../../store/keys-id.ts";
import { bundleStart, bundleVersion } from "../../export/bundle.ts";
import { isTime } from "../native.ts";
import { BundledChain } from "./chain.ts";
import { sameStretchesOf, stretchesOf } from "./stretches.ts";

/** What a bundle says of itself, once it is known to be whole. */
export interface Head {
  readonly record: NewSession;
  readonly sha256: string;
  /** Of its stretches: by them it is known to be the same when it is read again. */
  readonly sums: readonly string[];
}

/** Errors: `BUNDLE_INVALID`; the system's own. */
export async function headOf(path: string): Promise<Head> {
  const checking = new Checking();
  const sums: string[] = [];
  for await (const { lines, sum } of stretchesOf(path)) {
    for (const text of lines) checking.take(text);
    sums.push(sum);
  }
  const head = { ...checking.end(), sums };
  if (checking.chain.isToBeReadAgain()) await checkAgain(path, sums, checking.chain);
  return head;
}

async function checkAgain(path: string, sums: readonly string[], chain: BundledChain): Promise<void> {
  let [line, seq] = [0, 0];
  for await (const { lines } of sameStretchesOf(path, sums))
    for (const text of lines) {
      line += 1;
      const fields = line > 2 ? fieldsIn(text, line) : {};
      if (line > 2 && !("end" in fields)) chain.takeAgain(checkedEntry(fields, (seq += 1)));
    }
  chain.assertHolds();
}

class Checking {
  readonly chain = new BundledChain();
  readonly #hash = createHash("sha256");
  readonly #rewinds: Rewind[] = [];
  #line = 0;
  #entries = 0;
  #record: Fields = {};
  #end: unknown;

  take(text: string): void {
    this.#line += 1;
    if (this.#end !== undefined) throw invalid("goes on behind its end");
    const fields = fieldsIn(text, this.#line);
    if (this.#line === 1) checkVersion(text, fields);
    else if (this.#line === 2) this.#record = isRecord(fields["record"]) ? fields["record"] : {};
    else if ("end" in fields) this.#end = fields["end"];
    else this.#entry(checkedEntry(fields, this.#entries + 1));
    if (this.#end === undefined) this.#hash.update(text).update("\n");
  }

  end(): Omit<Head, "sums"> {
    const sha256 = this.#hash.digest("hex");
    const [end, entries] = [this.#end, this.#entries];
    if (!isRecord(end)) throw invalid("is cut off: it has no end");
    if (end["entries"] !== entries)
      throw invalid(`has ${entries} entries and should have ${String(end["entries"])}`);
    if (end["sha256"] !== sha256) throw invalid("was changed after it was written: its hash is another one");
    return { record: recordIn(this.#record, entries, this.#rewinds), sha256 };
  }

  /** What is told of rewinds is what its entries say. */
  #entry(entry: Entry): void {
    this.#entries += 1;
    this.chain.take(entry);
    const toSeq = rewindIn(entry);
    if (toSeq !== undefined) this.#rewinds.push({ at: entry.seq, toSeq });
    if (this.#rewinds.length > maxRewinds) throw invalid(`goes back more than ${maxRewinds} times`);
  }
}

type Fields = Readonly<Record<string, unknown>>;

function invalid(what: string): SidecarError {
  return new SidecarError("BUNDLE_INVALID", `The bundle ${what}; export it again`);
}

export function fieldsIn(text: string, line: number): Fields {
  const fields = objectIn(text);
  if (fields !== undefined) return fields;
  throw line === 1
    ? new SidecarError("BUNDLE_INVALID", "This is no bundle")
    : invalid(`is cut off or broken at line ${line}`);
}

function checkVersion(text: string, fields: Fields): void {
  const version = fields["acp-sidecar.bundle"];
  if (!text.startsWith(bundleStart) || typeof version !== "number")
    throw new SidecarError("BUNDLE_INVALID", "This is no bundle");
  if (version !== bundleVersion)
    throw new SidecarError(
      "BUNDLE_INVALID",
      `The bundle is of version ${version}, and this acp-sidecar reads version ${bundleVersion}; use a newer one`,
    );
}

/** As it was made, but for what is no part of it: who holds it, and how far it is. Errors: `BUNDLE_INVALID`. */
function recordIn(told: Fields, entries: number, rewinds: readonly Rewind[]): NewSession {
  const { lease: _, headSeq: _head, sealedSeq: _sealed, ...fields } = told;
  for (const name of ["createdAtMs", "updatedAtMs"])
    if (!isTime(fields[name])) throw invalid("has a time that there is not, or none");
  if (isReserved(String(fields["id"]))) throw invalid("has an id that no session can have");
  const { cwd, additionalDirectories } = fields;
  for (const folder of [cwd].concat(additionalDirectories))
    if (typeof folder === "string" && folder.includes("\0"))
      throw invalid("has a folder that there cannot be");
  const record = { ...fields, settings: settingsIn(fields["settings"], entries, rewinds) };
  const isSound = sessionRecordSchema.safeParse({ ...shallow(record), headSeq: entries, sealedSeq: entries });
  if (!isSound.success) throw invalid("says of no session whose it is, or says it in another form");
  return record as unknown as NewSession;
}

/** Errors: `BUNDLE_INVALID` where it is nested deeper than a record may be. */
function shallow(record: Fields): Fields {
  try {
    return given.session(record as unknown as NewSession) as unknown as Fields;
  } catch {
    throw invalid("says of no session whose it is, or says it in another form");
  }
}

function settingsIn(told: unknown, entries: number, rewinds: readonly Rewind[]): Fields {
  const { rewinds: _, systemPromptSeq, ...settings } = isRecord(told) ? told : {};
  const isThere = typeof systemPromptSeq === "number" && systemPromptSeq <= entries;
  return { ...settings, ...(isThere && { systemPromptSeq }), ...(rewinds.length > 0 && { rewinds }) };
}

function checkedEntry(fields: Fields, seq: number): Entry {
  const entry = entrySchema.safeParse(fields).data;
  const data = entry && objectIn(entry.data);
  // What an update says of a session's id would stand in the place of its own where it is shown.
  const isForeign = entry?.kind === "update" && data !== undefined && "sessionId" in data;
  // No journal has ends of lines: what is sent is a line a message. (An agent may write a carriage return for a space.)
  const isOneLine = entry?.data.includes("\n") === false;
  if (entry?.seq === seq && isTime(entry.atMs) && data !== undefined && !isForeign && isOneLine) return entry;
  throw invalid(`has something else where entry ${seq} should be`);
}
