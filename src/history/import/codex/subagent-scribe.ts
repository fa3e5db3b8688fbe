/**
 * Writes down what the thread of a subagent tells, as the work of a child: what it was asked stands there as a message,
 * and its turns are no turns of the session. What it took back stays told, because nothing goes back in a child.
 */
import { isRecord } from "../../../base/json.ts";
import type { SessionId } from "../../../base/ids.ts";
import { titleFrom, type Origin, type Scribe } from "../scribe.ts";
import type { Rollout } from "./rollouts.ts";

/** What a conversation of Codex is written down with. */
export type Telling = Pick<
  Scribe,
  | "lastMs"
  | "seq"
  | "isInTurn"
  | "prompt"
  | "message"
  | "toolCall"
  | "toolProgress"
  | "plan"
  | "summary"
  | "usage"
  | "endTurn"
  | "rewind"
>;

export class SubagentScribe implements Telling {
  /** When it began is no time of the session. */
  lastMs = 0;
  isInTurn = false;
  readonly #scribe: Scribe;
  readonly #child: SessionId;
  readonly #rollout: Rollout;
  #isAnnounced = false;

  constructor(scribe: Scribe, child: SessionId, rollout: Rollout) {
    this.#scribe = scribe;
    this.#child = child;
    this.#rollout = rollout;
  }

  get seq(): number {
    return this.#scribe.seq;
  }

  prompt(...[atMs, blocks, origin]: Parameters<Scribe["prompt"]>): void {
    this.isInTurn = true;
    const [first] = blocks;
    const task = isRecord(first) && typeof first["text"] === "string" ? first["text"] : "";
    this.#announce(atMs, titleFrom(task));
    const messageId = `codex-${this.seq + 1}`;
    for (const block of blocks)
      this.#scribe.message(
        atMs,
        "user_message_chunk",
        block,
        { ...origin, kind: `subagent ${origin.kind}` },
        { messageId, child: this.#child },
      );
  }

  message(...[atMs, role, content, origin, whose]: Parameters<Scribe["message"]>): void {
    this.#announce(atMs);
    this.#scribe.message(atMs, role, content, origin, { ...whose, child: this.#child });
  }

  toolCall(...[atMs, fields, origin]: Parameters<Scribe["toolCall"]>): void {
    this.#announce(atMs);
    this.#scribe.toolCall(atMs, fields, origin, this.#child);
  }

  toolProgress(...[atMs, fields, origin]: Parameters<Scribe["toolProgress"]>): void {
    this.#announce(atMs);
    this.#scribe.toolProgress(atMs, fields, origin, this.#child);
  }

  plan(...[atMs, items, origin]: Parameters<Scribe["plan"]>): void {
    this.#announce(atMs);
    this.#scribe.plan(atMs, items, origin, this.#child);
  }

  summary(): void {}

  usage(): void {}

  rewind(): void {}

  endTurn(): void {
    this.isInTurn = false;
  }

  #announce(atMs: number, task?: string): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    const { id, nickname } = this.#rollout;
    const title = task ?? titleFrom(nickname ?? "") ?? "subagent";
    const origin: Origin = { kind: "thread", id };
    this.#scribe.subagent(atMs, this.#child, { title, state: { state: "idle" } }, origin);
  }
}
