/** A conversation as text, piece by piece: subagents' parts as trees, superseded parts between marks. */
import type { Happening } from "../session/happenings.ts";
import { isSuperseded, type Stretch } from "../session/rewinds.ts";
import type { Rewind } from "../store/contract.ts";
import { Edits, type Wording } from "./edits.ts";
import { Threads, type Drawing } from "./threads.ts";

export interface Picture extends Drawing {
  /** What stands before a prompt that was said anew: its earlier wordings, in order. */
  readonly edited: (earlier: readonly Wording[]) => string;
  /** What stands around a part that does not count any more. */
  readonly superseded: { readonly begin: (stretch: Stretch) => string; readonly end: () => string };
}

/** What does not count of what is told, if that is told, too; and how it came to be so. */
export interface Passed {
  readonly superseded: readonly Stretch[];
  readonly rewinds: readonly Rewind[];
}

export async function* drawn(
  happenings: AsyncIterable<Happening>,
  picture: Picture,
  { superseded, rewinds }: Passed,
): AsyncGenerator<string> {
  const edits = new Edits(rewinds);
  const threads = new Threads(picture);
  let within: Stretch | undefined;
  for await (const happening of happenings) {
    let text = "";
    const { seq } = happening;
    if (within !== undefined && seq > within.through) {
      text += threads.finish() + picture.superseded.end();
      within = undefined;
    }
    if (within === undefined && isSuperseded(superseded, seq)) {
      within = superseded.find(({ through }) => through >= seq);
      if (within !== undefined) text += threads.finish() + picture.superseded.begin(within);
    }
    const earlier = edits.before(happening, within === undefined);
    if (earlier.length > 0) text += threads.finish() + picture.edited(earlier);
    text += threads.of(happening);
    if (text !== "") yield text;
  }
  const rest = threads.finish() + (within === undefined ? "" : picture.superseded.end());
  if (rest !== "") yield rest;
}
