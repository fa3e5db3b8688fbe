/** One who comes with a token: the store as that token may use it, a door to its sessions, and how much may be asked of us. */
import type { Audit } from "../audit/audit.ts";
import { SidecarError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import { SessionRegistry } from "../session/registry.ts";
import type { Store } from "../store/contract.ts";
import type { Access } from "../store/guarded/access.ts";
import type { Awaitable } from "../base/awaitable.ts";
import { guardOf } from "../store/guarded/guard.ts";
import { guardedStore } from "../store/guarded/store.ts";
import { auditAs } from "./audited.ts";
import { Rate } from "./rate.ts";

export interface GuestParts {
  /** Without a guard. */
  readonly store: Store;
  readonly config: Omit<Config, "store">;
  readonly audit: Audit;
  readonly log: Logger;
  /** Requests in a second; see `Rate`. */
  readonly perSecond: number;
  /** Told of all that guests write. */
  readonly follow?: ((registry: SessionRegistry) => void) | undefined;
}

/** Who has not come for so long is forgotten, and what was opened for them closed. */
const idleMs = 10 * 60_000;
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
  readonly #rate: Rate;
  #running = 0;
  #staying = 0;

  constructor(
    { store, config, audit, log, follow, perSecond }: GuestParts,
    granted: Access,
    access: () => Awaitable<Access>,
  ) {
    this.#rate = new Rate(perSecond);
    this.tokenId = granted.token?.id ?? "";
    this.store = guardedStore(store, access);
    this.audit = auditAs(audit, granted.principal ?? "");
    this.registry = new SessionRegistry({ ...config, store: this.store, log, audit: this.audit });
    follow?.(this.registry);
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
      throw tooMany(`At most ${mostAtOnce} requests of one token are answered at once; wait for some`);
    if (!this.#rate.take())
      throw tooMany(
        `At most ${this.#rate.perSecond} requests of one token are answered in a second; --rate allows more`,
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

function tooMany(message: string): SidecarError {
  return new SidecarError("REQUEST_LIMIT", message);
}
