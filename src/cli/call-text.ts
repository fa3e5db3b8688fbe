/** A tool call in full as lines: what it was given, its diffs, what it said. */
import { textOf } from "../acp/content.ts";
import { jsonTextOf } from "../base/json-text.ts";
import { lineDiff } from "../history/line-diff.ts";
import { diffIn, itemsOfCall, type CallFields } from "../session/call-parts.ts";
import { printable } from "./print.ts";
import type { Style } from "./style.ts";

/** A line to be broken, and how its parts are coloured then. */
interface CallLine {
  readonly text: string;
  readonly paint: (text: string) => string;
}

export function* callLines(update: CallFields, style: Style): Generator<CallLine> {
  const plain = (text: string): CallLine => ({ text, paint: (part) => part });
  const { rawInput, rawOutput } = update;
  const items = itemsOfCall(update);
  if (rawInput !== undefined && rawInput !== null)
    for (const text of linesOf(rawText(rawInput))) yield { text, paint: style.dim };
  for (const item of items) {
    const diff = diffIn(item);
    if (diff !== undefined) {
      for (const { mark, text } of lineDiff(diff.oldText, diff.newText)) {
        const paint = mark === "+" ? style.green : mark === "-" ? style.red : style.dim;
        yield { text: mark === "gap" ? `⋯ ${text}` : mark + printable(text), paint };
      }
    } else if (item.type === "content") yield* linesOf(textOf({ content: [item.content] })).map(plain);
  }
  if (items.length === 0 && rawOutput !== undefined && rawOutput !== null)
    yield* linesOf(rawText(rawOutput)).map(plain);
}

function rawText(raw: unknown): string {
  return typeof raw === "string" ? raw : jsonTextOf(raw);
}

function linesOf(text: string): string[] {
  return printable(text).split("\n");
}
