/**
 * Text chunks are nearly all that an agent sends, and each differs from the one before in nothing but its text.
 * Lines that do are recognised by that, many at once, which costs a fraction of parsing them.
 */
import { isRecord } from "../base/json.ts";
import {
  addUpdate,
  isUpdateParams,
  type ArrivedUpdate,
  type ChunkRun,
  type ChunkShape,
  type UpdateParams,
} from "./updates.ts";

/** Params of a plain text chunk: no annotation, `_meta` or field that we do not know. */
interface PlainChunk extends UpdateParams {
  readonly update: {
    readonly sessionUpdate: string;
    readonly content: { readonly type: "text"; readonly text: string };
    readonly messageId?: string;
  };
}

const chunkKinds: ReadonlySet<string> = new Set([
  "agent_message_chunk",
  "agent_thought_chunk",
  "user_message_chunk",
]);

/** What needs no escape in a JSON string, and all that may stand between its quotes (RFC 8259, section 7). */
const plainBody = /^[^"\\\u0000-\u001f]*$/;
const anyBody = /^(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*$/;
/** A field `text` with what it holds. */
const textField = /("text"\s*:\s*")((?:[^"\\]|\\.)*)"/;

interface KnownShape extends ChunkShape {
  /** What stands between the bodies of two lines. */
  readonly between: string;
}

/** Thought and answer take turns, sessions run side by side: more shapes than this are not worth the search. */
const keptShapes = 4;

/**
 * The fast lane of `session/update`s, for a connection (rpc/messages.ts).
 * @param deliver takes what arrived together, in order; a promise that it returns holds back the messages behind
 */
export function updateLane(deliver: (updates: readonly ArrivedUpdate[]) => void | Promise<void>) {
  const chunks = new TextChunks();
  return {
    recognise: (lines: string): ArrivedUpdate | undefined => chunks.recognise(lines),
    take: (text: string, message: Readonly<Record<string, unknown>>): ArrivedUpdate | undefined => {
      const { method, params } = message;
      if (method !== "session/update" || !isUpdateParams(params)) return undefined;
      return chunks.learn(text, params, hasFields(message, 3));
    },
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
      return { type: "chunks", sessionId: shape.sessionId, shape, bodies };
    }
    return undefined;
  }

  /**
   * A message that was parsed. If it is a plain text chunk, ones like it will be recognised.
   * @param text on one line
   * @param usual the message has the three usual fields and no other
   */
  learn(text: string, params: UpdateParams, usual: boolean): ArrivedUpdate {
    const { sessionId } = params;
    const shape = usual && isPlainChunk(params) ? shapeOf(text, params) : undefined;
    if (shape === undefined) return { type: "update", sessionId, text, params, usual };
    this.#putFirst(shape);
    const body = text.slice(shape.head.length, text.length - shape.tail.length);
    return { type: "chunks", sessionId, shape, bodies: [body] };
  }

  #putFirst(shape: KnownShape): void {
    if (this.#shapes[0] === shape) return;
    this.#shapes = [shape, ...this.#shapes.filter((each) => each !== shape)].slice(0, keptShapes);
  }
}

/** What the chunks say, each as it stands between its quotes; undefined when a line is of another shape. */
function bodiesIn(lines: string, { head, tail, between }: KnownShape): string[] | undefined {
  const end = lines.length - tail.length;
  // Compared as slices: V8 compiles startsWith to a loop over characters.
  if (end < head.length || lines.slice(0, head.length) !== head || lines.slice(end) !== tail)
    return undefined;
  const said = lines.slice(head.length, end);
  // What needs no escape has no line break either: it is the text of one.
  if (plainBody.test(said)) return [said];
  const bodies = said.split(between);
  return plainBody.test(bodies.join("")) || bodies.every((body) => anyBody.test(body)) ? bodies : undefined;
}

function shapeOf(text: string, { sessionId, update }: PlainChunk): KnownShape | undefined {
  const [all = "", field = "", body = ""] = textField.exec(text) ?? [];
  const head = text.slice(0, text.indexOf(all) + field.length);
  const tail = text.slice(head.length + body.length);
  // JSON can name a field twice: what decides is whether a text that is put in here is the one that comes out.
  const probe = `${body}probe`;
  if (textIn(`${head}${probe}${tail}`) !== JSON.parse(`"${probe}"`)) return undefined;
  const { sessionUpdate, messageId } = update;
  return { sessionId, sessionUpdate, messageId, head, tail, between: `${tail}\n${head}` };
}

function textIn(message: string): string {
  return (JSON.parse(message) as { params: PlainChunk }).params.update.content.text;
}

function isPlainChunk(params: UpdateParams): params is PlainChunk {
  const { sessionUpdate, content, messageId } = params.update;
  if (!chunkKinds.has(sessionUpdate) || !isRecord(content)) return false;
  if (content.type !== "text" || typeof content.text !== "string") return false;
  if (messageId !== undefined && typeof messageId !== "string") return false;
  const fields = messageId === undefined ? 2 : 3;
  return hasFields(params, 2) && hasFields(params.update, fields) && hasFields(content, 2);
}

function hasFields(object: Readonly<Record<string, unknown>>, fields: number): boolean {
  return Object.keys(object).length === fields;
}
