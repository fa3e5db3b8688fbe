/**
 * A bundle: one session in one file, for another store or another machine. Lines of JSON: a header with the version of
 * the format, the session's record, each entry with its data as a text (so that it comes back to the letter), and an
 * end that counts the entries and has the SHA-256 of all lines before it. Its reader is `history/import/bundle/`.
 */
import { createHash } from "node:crypto";
import { jsonTextOf } from "../../base/json-text.ts";
import type { Entry } from "../../store/contract.ts";
import { withParent } from "../kept-lineage.ts";
import type { Exported } from "./exported.ts";

export const bundleVersion = 1;
/** How the first line begins, so that a file can be told by its first bytes. */
export const bundleStart = '{"acp-sidecar.bundle":';

/** A fork brings what it inherited: `lineage` says from whom. */
export async function* bundleOf({ record, pages }: Exported): AsyncGenerator<string> {
  const hash = createHash("sha256");
  const line = (text: string) => {
    hash.update(text).update("\n");
    return `${text}\n`;
  };
  const { lease: _, headSeq: _head, sealedSeq: _sealed, ...taken } = withParent(record);
  yield line(`${bundleStart}${bundleVersion}}`);
  yield line(jsonTextOf({ record: taken }));
  let entries = 0;
  for await (const page of pages) {
    for (const entry of page) {
      entries += 1;
      yield line(bundledEntry(entry));
    }
  }
  yield `${JSON.stringify({ end: { entries, sha256: hash.digest("hex") } })}\n`;
}

function bundledEntry({ seq, kind, atMs, data }: Entry): string {
  return `{"seq":${seq},"kind":${JSON.stringify(kind)},"atMs":${atMs},"data":${JSON.stringify(data)}}`;
}
