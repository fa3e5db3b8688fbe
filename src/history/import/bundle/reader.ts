/** Bundles, in files or in folders of them: each is read twice, first to see that it is whole, then to be brought in. */
import { reasonOf } from "../../../base/errors.ts";
import type { NewEntry } from "../../../store/contract.ts";
import { fileEnds } from "../../export/formats.ts";
import { filesBelow, type FoundFile } from "../files.ts";
import { bytesOf, linesOf } from "../lines.ts";
import type { HistoryReader, NativeBatch, NativeSession, Report } from "../native.ts";
import { fieldsIn, headOf, maxLineBytes, type Head } from "./head.ts";

const batchChars = 1 << 20;

export const bundles: HistoryReader = {
  places: () => [],
  async *sessions(place, report) {
    for (const file of filesBelow(place, { file: (name) => name.endsWith(fileEnds.bundle) }, report)) {
      // A file that is named is meant, whatever its name, and its fault is that of the command.
      const head = file.path === place ? await headOf(file.path) : await checked(file, report);
      if (head !== undefined) yield sessionIn(file, head);
    }
  },
};

function sessionIn({ path, bytes, modifiedAtMs }: FoundFile, { record, sha256 }: Head): NativeSession {
  return {
    source: "bundle",
    nativeId: record.id,
    forkOf: record.lineage?.parentId,
    record,
    path,
    stamp: sha256,
    modifiedAtMs,
    bytes,
    read: (report) => batchesIn(path, record, report),
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

async function* batchesIn(
  path: string,
  { agent = {} }: Head["record"],
  report: Report,
): AsyncGenerator<NativeBatch> {
  const facts = { agent };
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
