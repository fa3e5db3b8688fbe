/** Which guest has which session at work: to the store this process is one holder, whoever asked it. */
import { SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Logger } from "../../base/log.ts";
import type { Guest } from "../guest.ts";
import { Attachment } from "./attachment.ts";
import type { Serve } from "./serve-guest.ts";

interface AttachmentsParts {
  /** Undefined where no agent was named. */
  readonly serve: Serve | undefined;
  readonly maxMessageBytes: number;
  readonly log: Logger;
  readonly onWritten: (id: SessionId) => void;
}

export class Attachments {
  readonly #parts: AttachmentsParts;
  readonly #at = new Map<SessionId, Attachment>();

  constructor(parts: AttachmentsParts) {
    this.#parts = parts;
  }

  /** Whether prompts are answered here. */
  get hasAgent(): boolean {
    return this.#parts.serve !== undefined;
  }

  /** The one where a session is at work, or was last. */
  where(id: SessionId): Attachment | undefined {
    const at = this.#at.get(id);
    if (at?.isClosed !== true) return at;
    this.#at.delete(id);
    return undefined;
  }

  /** A guest's own, for a session that no other one of this process works in. Errors: `AGENT_NOT_STARTED`, `TURN_RUNNING`. */
  async take(guest: Guest, id: SessionId): Promise<Attachment> {
    const own = await this.#of(guest);
    const other = this.where(id);
    if (other !== undefined && other !== own) {
      if (other.isRunning(id)) throw running(id);
      await other.letGo(id);
    }
    this.#at.set(id, own);
    return own;
  }

  /** Whoever changes a session otherwise finds it free, unless a turn of it runs. */
  async letGo(id: SessionId): Promise<void> {
    const at = this.where(id);
    if (at === undefined || at.isRunning(id)) return;
    this.#at.delete(id);
    await at.letGo(id);
  }

  /** A turn of it is cancelled, in order, and it is let go. */
  async end(id: SessionId): Promise<void> {
    const at = this.where(id);
    if (at === undefined) return;
    this.#at.delete(id);
    at.permissions.cancel(id);
    await at.letGo(id);
  }

  #of(guest: Guest): Promise<Attachment> {
    const { serve, maxMessageBytes, log, onWritten } = this.#parts;
    if (serve === undefined)
      throw new SidecarError(
        "AGENT_NOT_STARTED",
        "No agent answers prompts here: start acp-sidecar http with its command, as in acp-sidecar http -- opencode acp",
      );
    const { store, audit } = guest;
    const begin = () => Attachment.start({ serve: serve({ store, audit, onWritten }), maxMessageBytes, log });
    return guest.own("agent", begin);
  }
}

function running(sessionId: SessionId): SidecarError {
  return new SidecarError(
    "TURN_RUNNING",
    `A turn of session ${sessionId} runs already; wait for its end, or cancel it`,
    {
      data: { sessionId },
    },
  );
}
