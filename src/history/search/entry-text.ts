/** What of an entry is found: what people and agents said, thought and planned; of a tool call what it was, not what it gave. */
import { textOf } from "../../acp/content.ts";
import { compactedFrom } from "../../acp/compacted.ts";
import { meaningOf } from "../../acp/entries.ts";
import { isOwn } from "../../acp/own-mark.ts";
import type { Entry } from "../../store/contract.ts";
import { outputOf, pathsOf } from "../../session/call-parts.ts";
import type { Called, Happening } from "../../session/happenings.ts";
import { Teller } from "../../session/teller.ts";
import { longestText } from "./words.ts";

/** Whose words they are, or what they are of. */
export const searchRoles = ["user", "assistant", "thought", "tool", "plan", "summary", "system"] as const;
export type SearchRole = (typeof searchRoles)[number];

export interface Findable {
  readonly seq: number;
  readonly atMs: number;
  readonly role: SearchRole;
  readonly text: string;
}

/** The output of a tool is most of the bytes and least of the sense. */
const [outputLines, outputChars] = [3, 400];

/** Reads entries in order. One that is read alone says the same, but for what repeats the prompt. */
export class EntryReader {
  readonly #teller = new Teller();

  read(entry: Entry): Findable | undefined {
    // The answer to a search would be found by the next one.
    if (isOwn(entry)) return undefined;
    const found = entry.kind === "summary" ? summaryIn(entry) : this.#said(entry);
    if (found === undefined) return undefined;
    const text = found.text.slice(0, longestText);
    return /\S/.test(text) ? { seq: entry.seq, atMs: entry.atMs, role: found.role, text } : undefined;
  }

  /** A note that stands for what was compacted is nobody's words. */
  #said(entry: Entry): Text | undefined {
    const isCompacted = compactedFrom(entry) !== undefined;
    const happening = this.#teller.told(entry);
    if (!isCompacted) return saidIn(happening, outputLines);
    return happening?.type === "call" ? saidIn(happening, 0) : undefined;
  }
}

type Text = Pick<Findable, "role" | "text">;

function summaryIn(entry: Entry): Text | undefined {
  const meaning = meaningOf(entry);
  return meaning.type === "summary" ? { role: "summary", text: textOf(meaning) } : undefined;
}

/** @param lines how many of what a tool gave */
function saidIn(happening: Happening | undefined, lines: number): Text | undefined {
  switch (happening?.type) {
    case "said":
      return { role: happening.by, text: textOf(happening) };
    case "sent":
      return { role: "assistant", text: textOf(happening) };
    case "call":
      return { role: "tool", text: callText(happening, lines) };
    case "plan":
      return {
        role: "plan",
        text: [...happening.steps.map(({ text }) => text), happening.text ?? ""].join("\n").trim(),
      };
    case "compaction":
      return { role: "summary", text: textOf({ content: happening.summary }) };
    default:
      return undefined;
  }
}

function callText({ update }: Called, lines: number): string {
  const title = typeof update.title === "string" ? update.title : "";
  const output = outputOf(update).slice(0, outputChars).split("\n", lines);
  return [title, ...pathsOf(update), ...output].join("\n").trim();
}
