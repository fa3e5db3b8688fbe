/**
 * The threads of the subagents of a session, told between its own lines by when each was said: a subagent works while the
 * one that has asked it goes on. So what was told does not change when either goes on.
 */
import { derivedId } from "../../../base/ids.ts";
import { guarded } from "../guarded.ts";
import { linesOf, type Line } from "../lines.ts";
import type { Report } from "../native.ts";
import { recordOf, type Fields } from "../records.ts";
import { timeOf, type Scribe } from "../scribe.ts";
import { CodexConversation } from "./conversation.ts";
import { isPacked, piecesOf, type Rollout } from "./rollouts.ts";
import { SubagentScribe } from "./subagent-scribe.ts";

/** So many files are open at once; those that begin meanwhile wait for one of them to end. */
const mostOpen = 32;

export class Threads {
  /** The one that begins first is the last. */
  readonly #waiting: Rollout[];
  /** By when each goes on: the one that does so first is the last. */
  readonly #open: Thread[] = [];
  readonly #begin: (rollout: Rollout) => Thread;

  constructor(sessionId: string, subagents: readonly Rollout[], scribe: Scribe, report: Report) {
    this.#waiting = [...subagents].sort((a, b) => startOf(b) - startOf(a) || (a.id < b.id ? 1 : -1));
    this.#begin = (rollout) => {
      const child = derivedId("codex", sessionId, rollout.id);
      return new Thread(rollout, new SubagentScribe(scribe, child, rollout), report);
    };
  }

  /** Whether there is something to be told that was said up to a time. */
  isDue(atMs: number): boolean {
    const [waiting, open] = [this.#waiting.at(-1), this.#open.at(-1)];
    const isNext = waiting !== undefined && this.#open.length < mostOpen && startOf(waiting) <= atMs;
    return isNext || (open !== undefined && open.nextMs <= atMs);
  }

  /** Tells all that was said up to a time; gives the bytes of each piece that it has read. */
  async *until(atMs: number): AsyncGenerator<number> {
    while (this.isDue(atMs)) {
      const next = this.#waiting.at(-1);
      const begins = next !== undefined && this.#open.length < mostOpen && startOf(next) <= atMs;
      if (begins) this.#waiting.pop();
      const thread = begins ? this.#begin(next) : (this.#open.pop() as Thread);
      thread.tell();
      yield* thread.advance();
      if (!thread.isDone) this.#open.splice(this.#placeOf(thread.nextMs), 0, thread);
    }
  }

  async close(): Promise<void> {
    for (const thread of this.#open) await thread.close();
  }

  #placeOf(nextMs: number): number {
    let [from, to] = [0, this.#open.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#open[middle] as Thread).nextMs > nextMs) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** One that does not say when it began is told last. */
function startOf({ startMs }: Rollout): number {
  return Number.isNaN(startMs) ? Infinity : startMs;
}

class Thread {
  isDone = false;
  nextMs = -Infinity;
  readonly #rollout: Rollout;
  readonly #conversation: CodexConversation;
  readonly #report: Report;
  #pieces: ReturnType<typeof linesOf> | undefined;
  #lines: readonly Line[] = [];
  #at = 0;
  #next: { readonly fields: Fields; readonly number: number } | undefined;

  constructor(rollout: Rollout, scribe: SubagentScribe, report: Report) {
    this.#rollout = rollout;
    this.#conversation = new CodexConversation(scribe);
    this.#report = report;
  }

  /** The line that it stands at. */
  tell(): void {
    const next = this.#next;
    if (next === undefined) return;
    guarded(this.#rollout.file.path, next.number, this.#report, () => this.#conversation.take(next.fields));
  }

  /** To the next line, if there is one; gives the bytes that it has read. */
  async *advance(): AsyncGenerator<number> {
    const { file } = this.#rollout;
    this.#pieces ??= linesOf(await piecesOf(file), file.path, this.#report);
    this.#next = undefined;
    for (;;) {
      for (let line = this.#lines[this.#at++]; line !== undefined; line = this.#lines[this.#at++]) {
        const fields = recordOf(line, file.path, this.#report);
        if (fields === undefined) continue;
        this.#next = { fields, number: line.number };
        const atMs = timeOf(fields["timestamp"]);
        if (atMs > this.nextMs) this.nextMs = atMs;
        return;
      }
      const piece = await this.#pieces.next();
      if (piece.done === true) break;
      [this.#lines, this.#at] = [piece.value.lines, 0];
      yield isPacked(file) ? 0 : piece.value.bytes;
    }
    this.isDone = true;
    this.#conversation.end();
    if (isPacked(file)) yield file.bytes;
  }

  async close(): Promise<void> {
    await this.#pieces?.return(undefined);
  }
}
