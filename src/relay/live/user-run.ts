/** What an agent says in the user's name in one go: one message, or several that had no answer between them. */
import { charsOf, updateIn, type ArrivedUpdate } from "../../acp/updates.ts";
import { unquoted } from "../../acp/entries.ts";
import type { Json } from "../../base/json.ts";
import { behindHandover, isHandover } from "./handed-over.ts";
import { keyOf, partOf, type Part } from "./words.ts";

/** Beyond so much, or so many chunks, they are not told apart. */
const maxChars = 4 << 20;
const maxParted = 8;

/** A message in a run; `place` if it is in the journal. */
interface UserMessage {
  readonly key: string;
  readonly place: number | undefined;
  readonly updates: ArrivedUpdate[];
}

interface Chunk {
  readonly part: Part;
  readonly updates: ArrivedUpdate[];
}

/** An update as the beginning of a run; undefined when it is not the user's. */
export function runOf(update: ArrivedUpdate): UserRun | undefined {
  if (update.type === "chunks") {
    const { shape, bodies } = update;
    if (shape.sessionUpdate !== "user_message_chunk") return undefined;
    const chunks = bodies.map((body) => ({
      part: { text: unquoted(body) },
      updates: [{ ...update, bodies: [body], chars: body.length }],
    }));
    return new UserRun(shape.messageId, chunks);
  }
  if (update.sessionUpdate !== "user_message_chunk") return undefined;
  const { content, messageId } = updateIn(update);
  const chunk = { part: partOf(content as Json), updates: [update] };
  const id = typeof messageId === "string" ? JSON.stringify(messageId) : undefined;
  return isHandover(content as Json) ? new UserRun(id, [], true) : new UserRun(id, [chunk]);
}

export class UserRun {
  /** It holds, or held, a handover: its own words come behind that. */
  hasHandover: boolean;
  readonly #messageId: string | undefined;
  #chunks: Chunk[];
  #chars = 0;

  constructor(messageId: string | undefined, chunks: Chunk[], hasHandover = false) {
    this.#messageId = messageId;
    this.#chunks = chunks;
    this.hasHandover = hasHandover;
    for (const { updates } of chunks) for (const update of updates) this.#chars += charsOf(update);
  }

  /** Goes on with another, unless that is another message. */
  takes(next: UserRun): boolean {
    if (next.#messageId !== this.#messageId || this.#chars > maxChars) return false;
    for (const chunk of next.#chunks) this.#chunks.push(chunk);
    this.#chars += next.#chars;
    this.hasHandover ||= next.hasHandover;
    return true;
  }

  /** Its messages: as many chunks as may be are one that `placeOf` knows; what is between those is one. */
  *parted(placeOf: (key: string) => number | undefined): Generator<UserMessage> {
    this.#leaveHandoverOut();
    let rest = this.#chunks;
    let strange: Chunk[] = [];
    while (rest.length > 0) {
      const known = longestKnown(rest, placeOf);
      if (known === undefined) strange.push(...rest.splice(0, rest.length > maxParted ? rest.length : 1));
      else {
        if (strange.length > 0) yield messageOf(strange, undefined);
        strange = [];
        yield messageOf(rest.slice(0, known.length), known.place);
        rest = rest.slice(known.length);
      }
    }
    if (strange.length > 0) yield messageOf(strange, undefined);
  }

  #leaveHandoverOut(): void {
    const behind = behindHandover(this.#chunks.map(({ part }) => part.text ?? ""));
    if (behind === undefined) return;
    this.hasHandover = true;
    const { rest, from } = behind;
    const cut: Chunk[] = rest === "" ? [] : [{ part: { text: rest }, updates: [] }];
    this.#chunks = [...cut, ...this.#chunks.slice(from)];
  }
}

function longestKnown(
  chunks: readonly Chunk[],
  placeOf: (key: string) => number | undefined,
): { readonly length: number; readonly place: number } | undefined {
  const lengths = chunks.length > maxParted ? [chunks.length] : chunks.map((_, at) => chunks.length - at);
  for (const length of lengths) {
    const place = placeOf(keyOf(chunks.slice(0, length).map(({ part }) => part)));
    if (place !== undefined) return { length, place };
  }
  return undefined;
}

function messageOf(chunks: readonly Chunk[], place: number | undefined): UserMessage {
  const parts = chunks.map(({ part }) => part);
  return { key: keyOf(parts), place, updates: chunks.flatMap(({ updates }) => updates) };
}
