/**
 * One session as it grows, for all who follow it: its store is asked once for all of them, whoever writes to it. Who
 * falls behind is told the rest from the journal, which is everybody's buffer.
 */
import { isSidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { Queue } from "../../base/queue.ts";
import type { SessionRecord, Store } from "../../store/contract.ts";
import { isGone } from "../../session/hidden.ts";
import { problemOf } from "../problems.ts";
import { sessionShape } from "../session-shape.ts";
import { Beat } from "./beat.ts";
import type { Joined } from "./follow.ts";
import { frameOf, type Frame } from "./frame.ts";
import { Narrator } from "./news.ts";
import { finalAt, idOf, noPosition, positionIn, type Position } from "./position.ts";
import { Ring } from "./ring.ts";

/** So soon after it is written everybody has it. */
const pollMs = 100;
/** Who is further behind is not told the rest while everybody waits. */
const fewEntries = 500;

export class SessionFeed {
  readonly ring = new Ring();
  readonly #id: SessionId;
  readonly #store: Store;
  readonly #narrator: Narrator;
  /** Looks at the store, and joins: one after the other. */
  readonly #steps = new Queue();
  readonly #beat: Beat;
  #position: Position | undefined;
  /** The record as it was told last, and its text. */
  #record: SessionRecord | undefined;
  #shape = "";
  #isTroubled = false;

  constructor(store: Store, id: SessionId) {
    [this.#store, this.#id, this.#narrator] = [store, id, new Narrator(store)];
    this.#beat = new Beat(this.ring, pollMs, () => this.look());
  }

  /** Errors: `STORE_…` are told to who follows. */
  async look(): Promise<void> {
    await this.#steps.run(() => this.#look());
  }

  /**
   * From when on one is told what is told to all; and before that, what one has not had.
   * @param lastId the id of the last event that one has; undefined: from now on. Errors: `SESSION_NOT_FOUND`, `STORE_…`
   */
  async *join(lastId: string | undefined): AsyncGenerator<Frame, Joined> {
    let position = lastId === undefined ? undefined : positionIn(lastId);
    if (lastId !== undefined && position === undefined) throw noPosition();
    const narrator = new Narrator(this.#store);
    while (position !== undefined) {
      const record = await this.#read();
      if (record === undefined || record.headSeq - position.head < fewEntries) break;
      position = yield* told(narrator, position, record);
    }
    const { frames, ...joined } = await this.#steps.run(() => this.#joined(narrator, position));
    yield* frames;
    return joined;
  }

  /** What one is told who comes now, whatever one has had. */
  present(lastId: string): Frame | undefined {
    return this.#record && frameOf("session", lastId, sessionShape(this.#record));
  }

  async close(): Promise<void> {
    await this.#beat.close();
    this.ring.close();
    await this.#steps.idle();
  }

  /** Where the ring ends is only known of what could be read: what others are told later would be told of behind it. */
  async #joined(narrator: Narrator, position: Position | undefined) {
    const failure = await this.#look();
    if (failure !== undefined) throw failure.error;
    const frames: Frame[] = [];
    if (position !== undefined && this.#record !== undefined) {
      const telling = told(narrator, position, this.#record);
      for (let next = await telling.next(); next.done !== true; next = await telling.next())
        frames.push(next.value);
    }
    return { frames, number: this.ring.end, lastId: this.#lastId };
  }

  /** What it could not be read for, if it could not: the next look goes on. */
  async #look(): Promise<{ readonly error: unknown } | undefined> {
    if (this.ring.isClosed) return undefined;
    try {
      const record = await this.#read();
      if (record === undefined) {
        this.#gone();
        return undefined;
      }
      if (this.#position === undefined) this.#position = await this.#narrator.endOf(record);
      else await this.#tell(this.#position, record);
      this.#note(record);
      if (this.#isTroubled) this.ring.push(frameOf("recovered", this.#lastId, {}));
      this.#isTroubled = false;
      return undefined;
    } catch (error) {
      if (isSidecarError(error, "SESSION_NOT_FOUND")) this.#gone();
      // It was sealed while it was read.
      else if (!isSidecarError(error, "STORE_CONFLICT")) this.#trouble(error);
      return { error };
    }
  }

  async #tell(position: Position, record: SessionRecord): Promise<void> {
    if (isSame(record, this.#record) && position.head === record.headSeq) return;
    for await (const step of this.#narrator.since(position, record)) {
      this.#position = step.position;
      if (step.frame !== undefined) this.ring.push(step.frame);
    }
  }

  #note(record: SessionRecord): void {
    this.#record = record;
    const shape = JSON.stringify({ ...sessionShape(record), headSeq: 0, updatedAtMs: 0 });
    if (shape !== this.#shape && this.#shape !== "")
      this.ring.push(frameOf("session", this.#lastId, sessionShape(record)));
    this.#shape = shape;
  }

  #gone(): void {
    this.ring.push(frameOf("gone", this.#lastId, { id: this.#id }));
    this.ring.close();
  }

  #trouble(error: unknown): void {
    if (this.#isTroubled) return;
    this.#isTroubled = true;
    const { code, detail } = problemOf(error);
    this.ring.push(frameOf("trouble", this.#lastId, { code, detail }));
  }

  get #lastId(): string {
    return idOf(this.#position ?? finalAt(0));
  }

  async #read(): Promise<SessionRecord | undefined> {
    const record = await this.#store.get(this.#id);
    return record === undefined || isGone(record) ? undefined : record;
  }
}

async function* told(
  narrator: Narrator,
  from: Position,
  record: SessionRecord,
): AsyncGenerator<Frame, Position> {
  let at = from;
  for await (const { frame, position } of narrator.since(from, record)) {
    at = position;
    if (frame !== undefined) yield frame;
  }
  return at;
}

/** As far as its journal is concerned. */
function isSame(record: SessionRecord, before: SessionRecord | undefined): boolean {
  return before !== undefined && record.headSeq === before.headSeq && record.sealedSeq === before.sealedSeq;
}
