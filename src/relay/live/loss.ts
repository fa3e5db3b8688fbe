/** A session that is lost to this process: whoever sits before it is told in words, at once and once. */
import { loggedReason, type SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Logger } from "../../base/log.ts";
import { visibleLine } from "../../base/visible.ts";
import { placeOf } from "../../session/audited.ts";
import { holderText, isHeld } from "../../session/holder.ts";
import type { SessionRegistry } from "../../session/registry.ts";
import type { Front } from "../../session/ways-out.ts";
import type { SessionRecord } from "../../store/contract.ts";
import { ownWords } from "./own-words.ts";
import type { LiveSession } from "./session.ts";

interface LossesParts {
  readonly registry: SessionRegistry;
  readonly log: Logger;
  readonly front?: Front;
}

export class Losses {
  readonly #registry: SessionRegistry;
  readonly #log: Logger;
  readonly #front: Front;
  /** The loss that was told last. */
  readonly #told = new WeakMap<LiveSession, SidecarError>();

  constructor({ registry, log, front }: LossesParts) {
    this.#registry = registry;
    this.#log = log;
    this.#front = front ?? "editor";
  }

  /** Shown as the sidecar's own words, in no journal: that is somebody else's now. Who took it may stay unknown. */
  async tell(live: LiveSession): Promise<void> {
    const { lost } = live;
    if (lost === undefined || this.#told.get(live) === lost) return;
    this.#told.set(live, lost);
    // Nobody has taken it, and it is there: who lost it may not write to it any more.
    const isWithdrawn = lost.data?.["needs"] !== undefined;
    const by = isWithdrawn ? undefined : await this.#taker(live.id);
    this.#registry.audit.note(
      { what: "session.lost", session: live.id, facts: { to: by } },
      { outcome: "failed", code: lost.code },
    );
    await live.outbound(async () => {
      // It may have been loaded back meanwhile.
      if (live.lost !== lost) return;
      const words = isWithdrawn ? withdrawn : textOf(by, this.#front);
      await live.attachments.sendStored([ownWords(words)]);
    });
  }

  /** Undefined where the session is gone; empty where that cannot be known. */
  async #taker(id: SessionId): Promise<string | undefined> {
    try {
      const record = await this.#registry.peek(id);
      return record && takerOf(record);
    } catch (error) {
      this.#log.warn(
        { sessionId: id, error: loggedReason(error, this.#log) },
        "who took a session is not known",
      );
      return "";
    }
  }
}

/** Who has it now, as far as is known: who opened it last, and the process. */
function takerOf(record: SessionRecord): string {
  const { lease } = record;
  const place = placeOf(record);
  const process = isHeld(lease) ? holderText(lease.holder) : undefined;
  const who = [place, process].filter((each) => each !== undefined).map((each) => visibleLine(each));
  return who.join(", ");
}

const withdrawn =
  "You may no longer write to this session: its owner shares it with you no longer, or the token in use has ended. " +
  "What you write here goes nowhere any more.";

function textOf(by: string | undefined, front: Front): string {
  if (by === undefined)
    return "This session was deleted elsewhere. What you write here goes nowhere any more.";
  const taker = by === "" ? "" : ` (${by})`;
  const back =
    front === "editor"
      ? "What you write here is not taken any more: load the session again to take it back."
      : "The turn that ran here has ended; what you ask next is answered when the session is free.";
  return `This session was taken over elsewhere${taker}. ${back} If that was not you, see who it was with \`acp-sidecar audit show\`.`;
}
