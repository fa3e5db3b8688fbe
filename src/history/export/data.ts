/** Exports for programs: what happened as one JSON document, or the journal's entries, a line each. */
import { jsonTextOf, objectText } from "../../base/json-text.ts";
import { isJsonObjectText } from "../../base/json.ts";
import type { Entry } from "../../store/contract.ts";
import { happeningsIn } from "../../session/conversation.ts";
import type { Exported } from "./exported.ts";

/** `{"format":"acp-sidecar.session","version":1,"session":{…},"happenings":[…]}`; one happening a line. */
export async function* jsonOf({ record, pages }: Exported): AsyncGenerator<string> {
  yield `{"format":"acp-sidecar.session","version":1,"session":${jsonTextOf(record)},"happenings":[`;
  let between = "\n";
  for await (const happening of happeningsIn(pages)) {
    yield between + jsonTextOf(happening);
    between = ",\n";
  }
  yield "\n]}\n";
}

/** `{"seq":1,"kind":"prompt","atMs":…,"data":{…}}`, the data to the letter. */
export async function* jsonlOf({ pages }: Exported): AsyncGenerator<string> {
  for await (const page of pages) for (const entry of page) yield `${entryText(entry)}\n`;
}

/** The entry with its data as JSON, to the letter; data that is none stays a text. */
export function entryText({ seq, kind, atMs, data }: Entry): string {
  const isOneLine = !data.includes("\n") && isJsonObjectText(data);
  const members = [
    ["seq", `${seq}`],
    ["kind", JSON.stringify(kind)],
    ["atMs", `${atMs}`],
    ["data", isOneLine ? data : JSON.stringify(data)],
  ] as const;
  return objectText(new Map(members));
}
