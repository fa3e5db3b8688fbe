/** A conversation as text, piece by piece: subagents' parts as trees, superseded parts between marks. */
import type { Happening } from "../session/happenings.ts";
import { isSuperseded, type Stretch } from "../session/rewinds.ts";
import { Threads, type Drawing } from "./threads.ts";

export interface Picture extends Drawing {
  /** What stands around a part that does not count any more. */
  readonly superseded: { readonly begin: (stretch: Stretch) => string; readonly end: () => string };
}

export async function* drawn(
  happenings: AsyncIterable<Happening>,
  picture: Picture,
  superseded: readonly Stretch[],
): AsyncGenerator<string> {
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
    text += threads.of(happening);
    if (text !== "") yield text;
  }
  const rest = threads.finish() + (within === undefined ? "" : picture.superseded.end());
  if (rest !== "") yield rest;
}
