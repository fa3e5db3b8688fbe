/**
 * Going back in sessions: rewind, edit, undo, and what stood there before. All of it only adds to the journal. What a
 * process of this program holds live is gone back in through its relay, which knows the agent.
 */
import type { SessionId } from "../base/ids.ts";
import { given } from "../store/arguments.ts";
import type { SessionRecord, Store } from "../store/contract.ts";
import { holdBriefly } from "./brief-hold.ts";
import type { Journal, OpenedJournal, Taking } from "./journal.ts";
import { messageEntry, type NewMessage } from "./messages.ts";
import { beforePrompt, effectOf, rewindIn, undoSeq, type Held, type RewindEffect } from "./rewinding.ts";
import { agentMessageAt, seqOfMessage } from "./message-places.ts";
import { wordingsOf, type Wording } from "./wordings.ts";

interface GoingBackParts {
  readonly store: Store;
  readonly now: () => number;
  readonly maxEntryBytes: number;
  readonly get: (id: SessionId) => Promise<SessionRecord>;
  readonly take: (id: SessionId, taking: Taking) => Promise<OpenedJournal>;
}

/** The last step back is taken back; or where the conversation is to stand. */
export type Back = number | "undo";

export class GoingBack {
  readonly #parts: GoingBackParts;

  constructor(parts: GoingBackParts) {
    this.#parts = parts;
  }

  /**
   * From now on the conversation is what it was when `toSeq` was its last entry. Errors: `SESSION_NOT_FOUND`,
   * `SESSION_BUSY` while a turn runs or this process holds it, `INVALID_PARAMS` for a place that is not there or is in
   * the middle of something, `ENTRY_LIMIT`.
   */
  rewind(id: SessionId, back: Back): Promise<SessionRecord> {
    const { store, now, take } = this.#parts;
    return holdBriefly(
      async ({ journal, record }) =>
        rewindIn(heldBy(journal, record), store, await this.#seqOf(record, back), now()),
      (taking) => take(id, taking),
    );
  }

  /** Says a message anew in the place of the prompt or message at `seq`. Errors: as `rewind` and `addMessage`. */
  edit(id: SessionId, seq: number, message: NewMessage): Promise<SessionRecord> {
    const { store, now, maxEntryBytes, take } = this.#parts;
    const entry = messageEntry(given.message(message), now(), maxEntryBytes);
    return holdBriefly(
      async ({ journal, record }) => {
        const toSeq = await beforePrompt(store, { ...record, headSeq: journal.headSeq }, seq);
        const rewound = await rewindIn(heldBy(journal, record), store, toSeq, now());
        await journal.seal([], [entry]);
        await journal.settle();
        return { ...rewound, headSeq: journal.headSeq, sealedSeq: journal.sealedSeq };
      },
      (taking) => take(id, taking),
    );
  }

  /** What a rewind would do. Errors: `SESSION_NOT_FOUND`, `INVALID_PARAMS`. */
  async effect(id: SessionId, back: Back): Promise<RewindEffect> {
    const record = await this.#parts.get(id);
    return effectOf(this.#parts.store, record, await this.#seqOf(record, back));
  }

  /** The wordings that a prompt has had, in order: those before it, itself, later ones. Errors: as `effect`. */
  async wordings(id: SessionId, seq: number): Promise<readonly Wording[]> {
    return wordingsOf(this.#parts.store, await this.#parts.get(id), seq);
  }

  /** The same for a session that its caller holds: see `rewind`. No turn of it runs. */
  rewindHeld(held: Held, toSeq: number): Promise<SessionRecord> {
    const { store, now } = this.#parts;
    return rewindIn(held, store, toSeq, now());
  }

  /** Where the conversation stood before a prompt that counts. Errors: `INVALID_PARAMS`. */
  beforePrompt(record: SessionRecord, seq: number): Promise<number> {
    return beforePrompt(this.#parts.store, record, seq);
  }

  /** The last entry of a message, by the id under which clients see it. Errors: `INVALID_PARAMS`. */
  seqOf(record: SessionRecord, at: number | string): Promise<number> {
    return typeof at === "number" ? Promise.resolve(at) : seqOfMessage(this.#parts.store, record, at);
  }

  /** The agent's id of the message that ends at an entry, if it is one of the agent's that has one. */
  agentMessageAt(id: SessionId, seq: number): Promise<string | undefined> {
    return agentMessageAt(this.#parts.store, { id }, seq);
  }

  #seqOf(record: SessionRecord, back: Back): Promise<number> {
    return back === "undo" ? undoSeq(this.#parts.store, record) : Promise.resolve(back);
  }
}

function heldBy(journal: Journal, record: SessionRecord): Held {
  return { journal, record, update: (patch) => journal.update(patch) };
}
