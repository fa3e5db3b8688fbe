/**
 * The records of a session that have been read: in which turn each is, and what it looked like. A copy of one says the
 * same under the same id and is taken once; after a branch two records may share an id and say different things.
 */
import { isRecord } from "../../../base/json.ts";
import { recordIn, type Fields } from "../records.ts";
import { IdTable } from "./id-table.ts";

const shapes = 2 ** 32;

export class KnownRecords {
  /** By id the turn, counted from 1 (0 for none), and the shape, in one number: there may be millions. */
  readonly #known = new IdTable();
  /** Of records that share their id with an earlier one: the id and the shape. */
  readonly #others = new Set<string>();

  has(uuid: string): boolean {
    return this.#known.get(uuid) !== undefined;
  }

  turnOf(uuid: string): number | undefined {
    const turn = Math.floor((this.#known.get(uuid) ?? 0) / shapes);
    return turn === 0 ? undefined : turn - 1;
  }

  place(uuid: string, turn: number): void {
    this.#known.set(uuid, (turn + 1) * shapes + ((this.#known.get(uuid) ?? 0) % shapes));
  }

  /** Takes note of it. False for a copy of one that was read before. */
  isNew(uuid: string, fields: Fields): boolean {
    const shape = shapeOf(fields);
    const before = this.#known.get(uuid);
    if (before === undefined) {
      this.#known.set(uuid, shape);
      return true;
    }
    const other = `${shape} ${uuid}`;
    if (before % shapes === shape || this.#others.has(other)) return false;
    this.#others.add(other);
    return true;
  }
}

/** A number that differs where what is said does, as good as always; at much less than the cost of all that is said. */
function shapeOf(fields: Fields): number {
  const { type, subtype, content, attachment } = fields;
  const message = recordIn(fields, "message");
  const said = message?.["content"] ?? content ?? attachment;
  let shape = 0;
  for (const name of [type, subtype, message?.["id"]]) shape = mixed(shape, wordOf(name));
  for (const part of Array.isArray(said) ? (said as readonly unknown[]) : [said])
    shape = mixed(shape, partOf(part));
  return shape;
}

function partOf(part: unknown): string {
  if (!isRecord(part)) return startAndEnd(part);
  const { type, id, tool_use_id: of, text, thinking, input, content, ...others } = part;
  const said = startAndEnd(text ?? thinking ?? content ?? input ?? others);
  return `${wordOf(type)},${wordOf(id)},${wordOf(of)},${said}`;
}

function wordOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function startAndEnd(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text.length <= 80 ? text : `${text.length} ${text.slice(0, 40)} ${text.slice(-40)}`;
}

function mixed(hash: number, text: string): number {
  let mixing = hash;
  for (let at = 0; at < text.length; at += 1) mixing = Math.imul(mixing ^ text.charCodeAt(at), 0x01000193);
  return (mixing ^ text.length) >>> 0;
}
