/** Bundles, in files or in folders of them: each is read twice, first to see that it is whole, then to be brought in. */
import { reasonOf } from "../../../base/errors.ts";
import type { NewEntry } from "../../../store/contract.ts";
import { fileEnds } from "../../export/formats.ts";
import { filesBelow, type FoundFile } from "../files.ts";
import type { HistoryReader, NativeBatch, NativeSession, Report } from "../native.ts";
import { fieldsIn, headOf, type Head } from "./head.ts";
import { sameStretchesOf } from "./stretches.ts";

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

function sessionIn({ path, bytes, modifiedAtMs }: FoundFile, head: Head): NativeSession {
  const { record, sha256 } = head;
  return {
    source: "bundle",
    nativeId: record.id,
    forkOf: record.lineage?.parentId,
    record,
    path,
    stamp: sha256,
    modifiedAtMs,
    bytes,
    read: () => batchesIn(path, head),
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

/** What stands in it was checked already, and is the same. Errors: `BUNDLE_INVALID` from where that is not so. */
async function* batchesIn(path: string, { record, sums }: Head): AsyncGenerator<NativeBatch> {
  const facts = { agent: record.agent ?? {} };
  let number = 0;
  for await (const { lines, bytes } of sameStretchesOf(path, sums)) {
    const entries: NewEntry[] = [];
    for (const text of lines) {
      number += 1;
      const fields = number > 2 ? fieldsIn(text, number) : {};
      if (number <= 2 || "end" in fields) continue;
      const { kind, atMs, data } = fields as unknown as NewEntry;
      entries.push({ kind, atMs, data });
    }
    yield { entries, facts, bytes };
  }
}
