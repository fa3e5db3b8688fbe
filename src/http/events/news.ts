/** What somebody who has followed a session so far has not been told yet, as its store has it now. */
import { tellerAt } from "../../history/pages/told.ts";
import { collect } from "../../session/pages.ts";
import type { Teller } from "../../session/teller.ts";
import type { Entry, SessionRecord, Store } from "../../store/contract.ts";
import { journalConflict } from "../../store/refusals.ts";
import { frameOf, type Frame } from "./frame.ts";
import { finalAt, idOf, markOf, positionAt, type Position } from "./position.ts";

/** A frame, and how far one is who has it; without a frame only that. */
export interface Step {
  readonly frame?: Frame;
  readonly position: Position;
}

type Reads = Pick<Store, "read">;
type Known = Pick<SessionRecord, "id" | "headSeq" | "sealedSeq">;

/** Tells a session in order, as far as it is asked to. */
export class Narrator {
  readonly #store: Reads;
  #teller: Teller | undefined;

  constructor(store: Reads) {
    this.#store = store;
  }

  /**
   * What was streamed to them and is not so any more is taken back first: `sealed` says from which entry on. Ends with the
   * position that the record stands at. Errors: `STORE_…`; `STORE_CONFLICT` where a seal came between: go on from the last step.
   */
  async *since(position: Position, record: Known): AsyncGenerator<Step> {
    const { sealedSeq } = record;
    const isReplaced = await this.#isReplaced(position, record);
    if (isReplaced) {
      const from = Math.min(position.sealed, sealedSeq) + 1;
      const at = finalAt(from - 1);
      this.#teller = undefined;
      yield { frame: frameOf("sealed", idOf(at), { from, sealedSeq }), position: at };
      yield* this.#told(from, record);
    } else yield* this.#told(position.head + 1, record);
    yield { position: await this.endOf(record) };
  }

  /** Where one stands who has been told all. Errors: `STORE_CONFLICT` where it has been sealed since. */
  async endOf(record: Known): Promise<Position> {
    const { id, headSeq, sealedSeq } = record;
    if (headSeq === sealedSeq) return finalAt(headSeq);
    const [last] = await this.#entriesAt(record, headSeq);
    if (last === undefined) throw journalConflict(id, headSeq, sealedSeq);
    return positionAt(last, sealedSeq);
  }

  async *#told(from: number, record: Known): AsyncGenerator<Step> {
    const { id, headSeq, sealedSeq } = record;
    if (from > headSeq) return;
    // Nothing that was superseded is context, but it was told, and so it is here.
    const teller = (this.#teller ??= await tellerAt(this.#store, record, from, []));
    try {
      for await (const page of this.#store.read(id, { from, through: headSeq }))
        for (const entry of page) {
          const happening = teller.told(entry);
          if (happening === undefined) continue;
          const position = positionAt(entry, sealedSeq);
          yield { frame: frameOf("happening", idOf(position), happening), position };
        }
    } catch (error) {
      // It has heard of entries that will be read once more.
      this.#teller = undefined;
      throw error;
    }
  }

  async #isReplaced({ sealed, head, mark }: Position, record: Known): Promise<boolean> {
    // A store that was restored has less than was told.
    if (record.sealedSeq < sealed || record.headSeq < head) return true;
    if (head === sealed) return false;
    if (record.sealedSeq > sealed) return true;
    const [entry] = await this.#entriesAt(record, head);
    return entry === undefined || markOf(entry) !== mark;
  }

  #entriesAt({ id }: Known, seq: number): Promise<readonly Entry[]> {
    return collect(this.#store.read(id, { from: seq, through: seq }));
  }
}
