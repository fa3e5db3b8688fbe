/**
 * Whoever comes with a token: the one store of this process as that token may use it, with a door of its own. They are
 * kept as long as they come again.
 */
import { createHash } from "node:crypto";
import type { Audit } from "../audit/audit.ts";
import { isSidecarError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import type { Follower } from "../session/events.ts";
import { SessionRegistry } from "../session/registry.ts";
import type { Store } from "../store/contract.ts";
import type { Access } from "../store/guarded/access.ts";
import type { Awaitable } from "../store/driver.ts";
import { Failures } from "../store/guarded/failures.ts";
import { guardOf } from "../store/guarded/guard.ts";
import { guardedStore } from "../store/guarded/store.ts";
import { tokenGrant } from "../store/guarded/tokens.ts";
import { auditAs } from "./audited.ts";
import { Refusal } from "./problems.ts";

export interface GuestsParts {
  /** Without a guard. */
  readonly store: Store;
  readonly config: Omit<Config, "store">;
  readonly audit: Audit;
  readonly log: Logger;
  /** Told of all that guests write. */
  readonly follow?: Follower | undefined;
}

/** A token is looked at again after so long: it may have been revoked. */
const freshMs = 5000;
/** Who has not come for so long is forgotten, and what was opened for them closed. */
const idleMs = 10 * 60_000;
const mostGuests = 1000;
/** Requests of one token that may be answered at once. */
const mostAtOnce = 64;

/** What is made for a guest. One that says for how long it was not needed goes by itself when that is long. */
interface Owned {
  close(): Promise<void>;
  readonly idleMs?: number;
}

export class Guest {
  readonly tokenId: string;
  readonly store: Store;
  readonly registry: SessionRegistry;
  readonly audit: Audit;
  /** What is to be closed when it is forgotten. */
  readonly #owned = new Map<string, Promise<Owned>>();
  usedAtMs = performance.now();
  #running = 0;
  #staying = 0;

  constructor(
    { store, config, audit, log, follow }: GuestsParts,
    granted: Access,
    access: () => Awaitable<Access>,
  ) {
    this.tokenId = granted.token?.id ?? "";
    this.store = guardedStore(store, access);
    this.audit = auditAs(audit, granted.principal ?? "");
    this.registry = new SessionRegistry({ ...config, store: this.store, log, audit: this.audit });
    if (follow !== undefined) this.registry.follow(follow);
  }

  /** What it may do, as it is now. Errors: `TOKEN_INVALID`. */
  async access(): Promise<Access> {
    const access = await guardOf(this.store)?.access;
    return access ?? { isAdmin: false };
  }

  /** What is made once for all of its requests, and closed with it. */
  own<T extends Owned>(name: string, make: () => Promise<T>): Promise<T> {
    const known = this.#owned.get(name) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const made = make();
    this.#owned.set(name, made);
    // The next one who asks tries again.
    made.catch(() => this.#owned.delete(name));
    return made;
  }

  /** It is closed, and made anew when it is asked for again. */
  async disown(name: string): Promise<void> {
    const known = this.#owned.get(name);
    this.#owned.delete(name);
    await (await known?.catch(() => undefined))?.close();
  }

  get isBusy(): boolean {
    return this.#running > 0 || this.#staying > 0;
  }

  /** What has not been needed for long goes. False where something is needed still. */
  async sweep(): Promise<boolean> {
    let isIdle = true;
    for (const [name, owned] of this.#owned) {
      const since = (await owned.catch(() => undefined))?.idleMs ?? Infinity;
      if (since === Infinity) continue;
      if (since > idleMs) await this.disown(name);
      else isIdle = false;
    }
    return isIdle && !this.isBusy && performance.now() - this.usedAtMs > idleMs;
  }

  /** One follows something. Returns what ends that, which says how many stay. */
  stay(): () => number {
    this.#staying += 1;
    return () => {
      this.#staying -= 1;
      this.usedAtMs = performance.now();
      return this.#staying;
    };
  }

  /** Errors: those of `act`; `REQUEST_LIMIT`. */
  async during<T>(act: () => Promise<T>): Promise<T> {
    if (this.#running >= mostAtOnce)
      throw new Refusal(
        429,
        `At most ${mostAtOnce} requests of one token are answered at once; wait for some`,
        {
          code: "REQUEST_LIMIT",
        },
      );
    this.#running += 1;
    this.usedAtMs = performance.now();
    try {
      return await act();
    } finally {
      this.#running -= 1;
      this.usedAtMs = performance.now();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#owned.keys()].map((name) => this.disown(name)));
    await this.registry.close();
  }
}

export class Guests {
  readonly #parts: GuestsParts;
  readonly #byHash = new Map<string, Promise<Guest>>();
  readonly #failures = new Failures();

  constructor(parts: GuestsParts) {
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
        this.#parts.log.warn({ error }, "a guest's things were not closed");
    }
  }

  #refused(source: string, error: unknown): void {
    this.#failures.note(source);
    this.#parts.audit.noteRefused({ what: "token.refuse", facts: { source } }, error);
  }
}
