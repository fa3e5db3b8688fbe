/** Whether a file holds a text, though not byte for byte: clients show what they have decoded, and may save it in another form. */
import { sha256Of } from "../base/sha256.ts";
import { isSameStat, statAt, type FileState } from "./file-state.ts";
import { smallTextOf } from "./small-text.ts";

/** Larger ones are only what they are byte for byte. */
const mostBytes = 1 << 20;

/** @param look how the file was found; one that has changed since holds nothing that is known */
export async function holdsText(path: string, look: FileState, sha256: string): Promise<boolean> {
  if (look.sha256 === sha256) return true;
  if (look.sha256 === undefined || look.size > mostBytes) return false;
  const text = await smallTextOf(path, mostBytes);
  if (text === undefined || !formsOf(text).some((form) => sha256Of(form) === sha256)) return false;
  const now = await statAt(path);
  return typeof now === "object" && isSameStat(look, now);
}

/** With what is no UTF-8 replaced, without a mark at the beginning, with plain ends of lines, without the last of them. */
function formsOf(text: string): readonly string[] {
  const unmarked = text.startsWith("\ufeff") ? text.slice(1) : text;
  const forms = [text, unmarked, ...[text, unmarked].map((each) => each.replaceAll("\r\n", "\n"))];
  return [...new Set([...forms, ...forms.map((each) => each.replace(/\r?\n$/, ""))])];
}
