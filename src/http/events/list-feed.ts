/** The list of sessions of one guest as it changes, for all streams of theirs. */
import { randomBytes } from "node:crypto";
import { isSidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { SessionRecord } from "../../session/registry-options.ts";
import type { SessionRegistry } from "../../session/registry.ts";
import { problemOf } from "../problems.ts";
import { sessionShape } from "../session-shape.ts";
import { Beat } from "./beat.ts";
import type { Joined } from "./follow.ts";
import { frameOf, type Frame } from "./frame.ts";
import { Ring } from "./ring.ts";

const pollMs = 150;
/** Whether a holder lives, and until when something is shared, changes without a write: so often it is looked at in any case. */
const unlookedMs = 1000;
/** The newest are looked at: what changes is among them, because a change is activity. */
const looked = 100;

type Listed = Pick<SessionRegistry, "list" | "peek" | "changeMark">;

export class ListFeed {
  readonly ring = new Ring();
  readonly #registry: Listed;
  readonly #now: () => number;
  readonly #beat: Beat;
  /** Numbers of another process, or of before, are none of ours. */
  readonly #name = randomBytes(6).toString("base64url");
  #count = 0;
  #known: ReadonlyMap<SessionId, string> | undefined;
  #isTroubled = false;
  /** What the store said when it was last read, and when that was. */
  #mark: string | undefined;
  #readAtMs = -Infinity;

  constructor(registry: Listed, now = () => performance.now()) {
    [this.#registry, this.#now] = [registry, now];
    this.#beat = new Beat(this.ring, pollMs, () => this.look());
  }

  /** Whoever has been away too long loads the list again. */
  async *join(lastId: string | undefined): AsyncGenerator<Frame, Joined> {
    if (this.#known === undefined) await this.look();
    // As it is before anything is said: who reads slowly reads what comes meanwhile afterwards.
    const now = { number: this.ring.end, lastId: this.#id };
    if (lastId === undefined) yield frameOf("following", now.lastId, {});
    if (lastId === undefined || lastId === this.#id) return now;
    const number = this.ring.behind(lastId);
    if (number !== undefined) return { number, lastId };
    yield frameOf("resync", now.lastId, {});
    return now;
  }

  async look(): Promise<void> {
    try {
      if (await this.#isAsItWas()) return;
      const { items } = await this.#registry.list({ limit: looked, archived: "include" });
      await this.#compare(items);
      if (this.#isTroubled) this.#push("recovered", {});
      this.#isTroubled = false;
    } catch (error) {
      this.#mark = undefined;
      if (isSidecarError(error, "TOKEN_INVALID")) return this.ring.close();
      if (this.#isTroubled) return;
      this.#isTroubled = true;
      const { code, detail } = problemOf(error);
      this.#push("trouble", { code, detail });
    }
  }

  async close(): Promise<void> {
    await this.#beat.close();
    this.ring.close();
  }

  /** What is written while it is read is seen by the next mark. */
  async #isAsItWas(): Promise<boolean> {
    const mark = await this.#registry.changeMark();
    const nowMs = this.#now();
    if (mark !== undefined && mark === this.#mark && nowMs - this.#readAtMs < unlookedMs) return true;
    [this.#mark, this.#readAtMs] = [mark, nowMs];
    return false;
  }

  async #compare(items: readonly SessionRecord[]): Promise<void> {
    const shapes = new Map(items.map((record) => [record.id, JSON.stringify(sessionShape(record))]));
    const before = this.#known;
    this.#known = shapes;
    // Who has come since the store is away has loaded the list before it is followed.
    if (before === undefined) return this.#isTroubled ? this.#push("resync", {}) : undefined;
    const changed = items.filter(({ id }) => before.get(id) !== shapes.get(id)).reverse();
    // All of them at once: there may be more behind them.
    if (changed.length === looked) return this.#push("resync", {});
    for (const record of changed) this.#push("session", sessionShape(record));
    for (const id of before.keys())
      if (!shapes.has(id) && (await this.#registry.peek(id)) === undefined) this.#push("gone", { id });
  }

  #push(event: string, data: object): void {
    this.#count += 1;
    this.ring.push(frameOf(event, this.#id, data));
  }

  get #id(): string {
    return `${this.#name}.${this.#count}`;
  }
}
