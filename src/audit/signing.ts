/** Signs heads for an audit log. Whose key cannot be had is told once, and goes on without. */
import type { KeyObject } from "node:crypto";
import { reasonOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Deed } from "./audit.ts";
import { signHead, signingKeyFrom, type Head } from "./heads.ts";

export class HeadSigning {
  readonly #source: string;
  readonly #log: Logger;
  readonly #note: (deed: Deed) => void;
  #key: Promise<KeyObject | undefined> | undefined;
  #last: Promise<void> = Promise.resolve();

  /** @param note records a deed */
  constructor(source: string, log: Logger, note: (deed: Deed) => void) {
    [this.#source, this.#log, this.#note] = [source, log, note];
  }

  /** Costs its caller nothing. */
  sign(head: Head): void {
    this.#last = this.#last.then(() => this.#sign(head));
  }

  /** On return all is signed that was to be. */
  done(): Promise<void> {
    return this.#last;
  }

  async #sign(head: Head): Promise<void> {
    this.#key ??= signingKeyFrom(this.#source).catch((error: unknown) => {
      this.#log.error({ reason: reasonOf(error) }, "heads of sessions are not signed");
      return undefined;
    });
    const key = await this.#key;
    if (key === undefined) return;
    const { sessionId: session, seq, sha256 } = head;
    this.#note({ what: "session.head", session, facts: { seq, sha256, signature: signHead(head, key) } });
  }
}
