/** Whoever comes with a token. They are kept as long as they come again. */
import { createHash } from "node:crypto";
import { isSidecarError, loggedReason } from "../base/errors.ts";
import type { Access } from "../store/guarded/access.ts";
import { Failures } from "../store/guarded/failures.ts";
import { tokenGrant } from "../store/guarded/tokens.ts";
import { Guest, type GuestParts } from "./guest.ts";

/** A token is looked at again after so long: it may have been revoked. */
const freshMs = 5000;
const mostGuests = 1000;

export class Guests {
  readonly #parts: GuestParts;
  readonly #byHash = new Map<string, Promise<Guest>>();
  readonly #failures = new Failures();

  constructor(parts: GuestParts) {
    this.#parts = parts;
  }

  /**
   * Who comes with this secret. Errors: `TOKEN_INVALID`, and after some of these from one place only after a while.
   * @param source where it comes from
   */
  async with(secret: string, source: string, request: Pick<Request, "signal">): Promise<Guest> {
    if (this.#failures.waitMs(source) > 0) await this.#failures.wait(source, request.signal);
    const hash = createHash("sha256").update(secret).digest("base64url");
    try {
      const guest = await (this.#byHash.get(hash) ?? this.#welcomed(secret, hash));
      await guest.access();
      return guest;
    } catch (error) {
      if (isSidecarError(error, "TOKEN_INVALID")) {
        this.#refused(source, error);
        void this.#forget(hash);
      }
      throw error;
    }
  }

  /** Nobody has said who they are. */
  refused(source: string, error: unknown): Promise<void> {
    const waiting = this.#failures.wait(source);
    this.#refused(source, error);
    return waiting;
  }

  /** Streams of lists end, and with them whoever reads them. */
  async endStreams(): Promise<void> {
    for (const known of this.#byHash.values()) await (await known.catch(() => undefined))?.disown("list");
  }

  /** Those that have not come for long go. */
  async sweep(): Promise<void> {
    for (const [hash, known] of this.#byHash) {
      const guest = await known.catch(() => undefined);
      if (guest === undefined || (await guest.sweep())) await this.#forget(hash);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#byHash.keys()].map((hash) => this.#forget(hash)));
  }

  #welcomed(secret: string, hash: string): Promise<Guest> {
    const welcome = async () => {
      let granted = await tokenGrant(this.#parts.store, secret);
      // Asked once more by way of the guard, which tells of it.
      let atMs = -Infinity;
      let asking: Promise<Access> | undefined;
      const ask = async () => {
        granted = await tokenGrant(this.#parts.store, secret);
        atMs = performance.now();
        return granted;
      };
      const access = () => {
        if (performance.now() - atMs < freshMs) return granted;
        asking ??= ask().finally(() => (asking = undefined));
        return asking;
      };
      return new Guest(this.#parts, granted, access);
    };
    if (this.#byHash.size >= mostGuests) this.#forgetOldest();
    const guest = welcome();
    this.#byHash.set(hash, guest);
    guest.catch(() => this.#byHash.delete(hash));
    return guest;
  }

  #forgetOldest(): void {
    const [oldest] = this.#byHash.keys();
    if (oldest !== undefined) void this.#forget(oldest);
  }

  async #forget(hash: string): Promise<void> {
    const known = this.#byHash.get(hash);
    this.#byHash.delete(hash);
    try {
      await (await known)?.close();
    } catch (error) {
      if (!isSidecarError(error, "TOKEN_INVALID"))
        this.#parts.log.warn(
          { error: loggedReason(error, this.#parts.log) },
          "a guest's things were not closed",
        );
    }
  }

  #refused(source: string, error: unknown): void {
    this.#failures.note(source);
    this.#parts.audit.noteRefused({ what: "token.refuse", facts: { source } }, error);
  }
}
