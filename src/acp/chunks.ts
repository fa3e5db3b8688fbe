/**
 * Text chunks are nearly all that an agent sends, and each differs from the one before in nothing but its text.
 * Lines that do are recognised by that, many at once, which costs a fraction of parsing them.
 */
import { endOfString } from "../base/json-text.ts";
import { joinableText } from "./plain.ts";
import {
  addUpdate,
  standInFor,
  isUpdateParams,
  updateOfText,
  type ArrivedUpdate,
  type ChunkRun,
  type ChunkShape,
  type UpdateParams,
} from "./updates.ts";

interface KnownShape extends ChunkShape {
  /** How such a line begins and ends as this agent writes it. */
  readonly lineHead: string;
  readonly lineTail: string;
  /** What stands between the bodies of two lines. */
  readonly between: string;
}

/** Thought and answer take turns, sessions run side by side: more shapes than this are not worth the search. */
const keptShapes = 4;
/** What is longer without its text is not worth being remembered. */
const maxShapeChars = 4096;
/** What may not stand between the quotes of a string in JSON, or is an escape (RFC 8259, section 7). */
const notPlain = /["\\\u0000-\u001f]/;

/**
 * The fast lane of `session/update`s, for a connection.
 * @param deliver takes what arrived together, in order; a promise that it returns holds back the messages after it
 */
export function updateLane(deliver: (updates: readonly ArrivedUpdate[]) => void | Promise<void>) {
  const chunks = new TextChunks();
  return {
    recognise: (lines: string): ArrivedUpdate | undefined => chunks.recognise(lines),
    take: (text: string, message: Readonly<Record<string, unknown>>): ArrivedUpdate | undefined => {
      const { method, params } = message;
      if (method !== "session/update" || !isUpdateParams(params)) return undefined;
      return chunks.learn(text, params, Object.keys(message).length);
    },
    skipped: standInFor,
    add: addUpdate,
    deliver,
  };
}

export class TextChunks {
  /** The one that was met last stands first. */
  #shapes: KnownShape[] = [];

  /** The messages of a text of whole lines, if all of them are chunks of one shape that was learned. */
  recognise(lines: string): ChunkRun | undefined {
    for (const shape of this.#shapes) {
      const bodies = bodiesIn(lines, shape);
      if (bodies === undefined) continue;
      this.#putFirst(shape);
      return runOf(shape, bodies, lines.length);
    }
    return undefined;
  }

  /**
   * A message that was parsed. If it is a plain text chunk, ones like it will be recognised.
   * @param text on one line
   * @param fields how many the message has; three are usual
   */
  learn(text: string, params: UpdateParams, fields: number): ArrivedUpdate {
    const said = fields === 3 && joinableText(params, 2) !== undefined ? textIn(text) : undefined;
    const shape = said && shapeOf(said, params);
    if (said === undefined || shape === undefined) return updateOfText(text, params, fields);
    this.#putFirst(shape);
    return runOf(shape, [said.body], said.body.length);
  }

  #putFirst(shape: KnownShape): void {
    if (this.#shapes[0] === shape) return;
    this.#shapes = [shape, ...this.#shapes.filter((each) => each !== shape)].slice(0, keptShapes);
  }
}

function runOf(shape: ChunkShape, bodies: string[], chars: number): ChunkRun {
  return { type: "chunks", sessionId: shape.sessionId, shape, bodies, chars };
}

/** What the chunks say, each as it stands between its quotes; undefined when a line is of another shape. */
function bodiesIn(lines: string, { lineHead, lineTail, between }: KnownShape): string[] | undefined {
  const end = lines.length - lineTail.length;
  // Compared as slices: V8 compiles startsWith to a loop over characters.
  if (end < lineHead.length || lines.slice(0, lineHead.length) !== lineHead || lines.slice(end) !== lineTail)
    return undefined;
  const said = lines.slice(lineHead.length, end);
  // What needs no escape has no line break either: it is the text of one.
  if (!notPlain.test(said)) return [said];
  const bodies = said.split(between);
  return !notPlain.test(bodies.join("")) || bodies.every(isBody) ? bodies : undefined;
}

/** Whether it may stand between the quotes of a string. */
function isBody(body: string): boolean {
  if (!notPlain.test(body)) return true;
  try {
    return typeof JSON.parse(`"${body}"`) === "string";
  } catch {
    return false;
  }
}

interface Said {
  readonly head: string;
  readonly body: string;
  readonly tail: string;
}

/** A message parted at its first field `text` that holds a string. */
function textIn(message: string): Said | undefined {
  for (let at = message.indexOf('"text"'); at >= 0; at = message.indexOf('"text"', at + 1)) {
    const opening = /^\s{0,9}:\s{0,9}"/.exec(message.slice(at + 6, at + 30));
    if (opening === null) continue;
    const from = at + 6 + opening[0].length;
    const to = endOfString(message, from);
    return { head: message.slice(0, from), body: message.slice(from, to), tail: message.slice(to) };
  }
  return undefined;
}

const mark = "<what the chunk says>";

/** JSON can name a field twice: what decides is whether a text that is put in there is the one that comes out. */
function shapeOf({ head, tail }: Said, params: UpdateParams): KnownShape | undefined {
  if (head.length + tail.length > maxShapeChars) return undefined;
  const line = `${head}${mark}${tail}`;
  const { params: marked } = JSON.parse(line) as { params: UpdateParams };
  if (joinableText(marked, 2) !== mark) return undefined;
  const { rest } = updateOfText(line, marked, 3);
  const [before = "", behind = "", ...more] = rest.split(mark);
  if (more.length > 0) return undefined;
  const { sessionId, update } = params;
  const { sessionUpdate, messageId } = update;
  // Cut from the short text, so that the message is not kept alive.
  const [lineHead, lineTail] = [line.slice(0, head.length), line.slice(-tail.length)];
  return {
    sessionId,
    sessionUpdate,
    messageId: messageId === undefined ? undefined : JSON.stringify(messageId),
    head: before,
    tail: behind,
    lineHead,
    lineTail,
    between: `${lineTail}\n${lineHead}`,
  };
}
