/** Whose a session is, with whom it is shared, and what may be done with it here. */
import type { Audit } from "../audit/audit.ts";
import { SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import { principalAllowed, principalFrom } from "../base/principal-name.ts";
import type { Holder, SessionRecord, Store } from "../store/contract.ts";
import { guardOf, ownerOfShown, type AccessNews, type Guard } from "../store/guarded/guard.ts";
import {
  ownedBy,
  ownerOf,
  shareChanges,
  sharesIn,
  unshareChanges,
  type Share,
} from "../store/guarded/marks.ts";
import { permissions, scopes, type Permission } from "../store/guarded/permissions.ts";
import type { TokenWish } from "../store/guarded/tokens.ts";
import { sessionNotFound } from "../store/refusals.ts";
import type { Tell } from "./events.ts";
import type { OpenedJournal, Taking } from "./journal.ts";
import { isHeld, isSameHolder, mayTake, thisHolder } from "./holder.ts";
import { whyHidden } from "./hidden.ts";
import { SessionLinks } from "./links.ts";

/** What somebody is to have. */
export interface ShareWish {
  readonly with: string;
  /** Only to read, unless told. */
  readonly permissions?: readonly Permission[];
  /** When it ends. */
  readonly untilMs?: number;
}

const mostShares = 100;
const loaded = () => import("../store/guarded/tokens.ts");

interface SharingOptions {
  readonly store: Store;
  readonly audit: Audit;
  readonly now: () => number;
  readonly tell: Tell;
  readonly take: (id: SessionId, taking: Taking) => Promise<OpenedJournal>;
}

interface Ending {
  readonly force?: boolean;
  readonly ask?: (holder: Holder) => Promise<boolean>;
}

export class Sharing {
  /** Secrets that stand for whoever makes them. */
  readonly tokens = {
    create: async (wish: TokenWish) => (await loaded()).createToken(this.#options.store, wish),
    list: async () => (await loaded()).listTokens(this.#options.store),
    revoke: async (named: string) => (await loaded()).revokeToken(this.#options.store, named),
  };
  readonly links: SessionLinks;
  readonly #options: SharingOptions;

  constructor(options: SharingOptions) {
    this.#options = options;
    this.links = new SessionLinks({ ...options, own: (id) => this.#record(id, "own") });
    this.#guard?.listen((news) => {
      noteTokenUse(news, options.audit);
      options.tell("access", () => news);
    });
  }

  /** As whom we act here; undefined for a stranger to all that belongs to somebody, and where nobody asks. */
  async principal(): Promise<string | undefined> {
    return (await this.#guard?.access)?.principal;
  }

  /** Errors: `SESSION_NOT_FOUND`, `FORBIDDEN`. */
  async require(id: SessionId, needs: Permission | "own"): Promise<void> {
    await this.#guard?.required(id, needs);
  }

  async may(id: SessionId, needs: Permission): Promise<boolean> {
    const found = await this.#guard?.visible(id);
    return this.#guard === undefined || found?.rights.may.has(needs) === true;
  }

  /** The same of a session that this process holds, without asking the store. */
  mayWhileHeld(id: SessionId, needs: Permission): boolean {
    return this.#guard?.held(id)?.may.has(needs) !== false;
  }

  /** Says that somebody was refused. */
  noteRefused(id: SessionId, needs: Permission): void {
    this.#guard?.refused(id, needs);
  }

  /** Whose a session is that was found or listed just now, by the record itself; undefined where it is nobody's. */
  ownerIn(record: SessionRecord): string | undefined {
    return ownerOfShown(record);
  }

  /** Whose it is; undefined where it is nobody's. Errors: `SESSION_NOT_FOUND`. */
  async ownerOf(id: SessionId): Promise<string | undefined> {
    return ownerOf((await this.#record(id, "read")).metadata);
  }

  /**
   * In the place of what was shared with the same name before. Errors: `SESSION_NOT_FOUND`, `FORBIDDEN`, `INVALID_PARAMS`
   * for a name that is none, a time that is over, a session that is nobody's: that one everybody has.
   */
  async share(id: SessionId, wish: ShareWish): Promise<Share> {
    const guard = this.#required();
    const { metadata } = await this.#record(id, "own");
    const owner = ownerOf(metadata);
    const name = principalFrom(wish.with);
    const { untilMs, permissions: wanted = scopes.read } = wish;
    const now = this.#options.now();
    if (name === undefined) throw wrong("with", principalAllowed);
    if (owner === undefined) throw nobodys(id);
    if (name === owner) throw wrong("with", "somebody else than the session's owner");
    if (untilMs !== undefined && !(untilMs > now)) throw wrong("untilMs", "a time that is not over");
    const shares = sharesIn(metadata, now);
    if (shares.length >= mostShares && !shares.some((each) => each.with === name))
      throw wrong("with", `one of at most ${mostShares} with whom a session is shared`);
    const allowed = permissions.filter((each) => each === "read" || wanted.includes(each));
    const by = (await this.principal()) ?? owner;
    const share = {
      with: name,
      permissions: allowed,
      by,
      atMs: now,
      ...(untilMs !== undefined && { untilMs }),
    };
    await guard.inner.update(id, { metadataChanges: shareChanges(share) });
    await guard.inner.flush();
    guard.tell({ what: "shared", id, with: name, permissions: allowed });
    return share;
  }

  /** Whoever is writing by it learns of it when their lease is extended. True if it was shared with that name. */
  async unshare(id: SessionId, name: string): Promise<boolean> {
    const guard = this.#required();
    const { metadata } = await this.#record(id, "own");
    const known = principalFrom(name);
    // One that has ended goes, too.
    const wasShared =
      known !== undefined && sharesIn(metadata, -Infinity).some((each) => each.with === known);
    if (!wasShared) return false;
    await guard.inner.update(id, { metadataChanges: unshareChanges(known) });
    await guard.inner.flush();
    guard.tell({ what: "unshared", id, with: known });
    return true;
  }

  /** In the order of their names. Errors: `SESSION_NOT_FOUND`, `FORBIDDEN`. */
  async shares(id: SessionId): Promise<readonly Share[]> {
    const { metadata } = await this.#record(id, "own");
    return [...sharesIn(metadata, this.#options.now())].sort((a, b) => (a.with < b.with ? -1 : 1));
  }

  /** Makes what is nobody's ours. Errors: `SESSION_NOT_FOUND`, `FORBIDDEN`, `SESSION_BUSY` in a turn, `INVALID_PARAMS` without an identity. */
  async own(id: SessionId): Promise<void> {
    const guard = this.#required();
    const name = await this.principal();
    if (name === undefined) throw wrong("identity", "set, to own a session: --identity NAME");
    // Held meanwhile, so that of two who want it one is told.
    const opened = await this.#options.take(id, { mayTake: mayTake("idle", thisHolder()) });
    try {
      const owner = ownerOf((await this.#record(id, "own")).metadata);
      if (owner !== undefined && owner !== name) throw guard.refused(id, "own");
      await guard.inner.update(id, { metadataChanges: ownedBy(name) }, opened.journal.lease);
      await guard.inner.flush();
    } finally {
      await opened.journal.release();
    }
    guard.tell({ what: "owned", id, by: name });
  }

  /**
   * Takes a session from whoever holds it, whose turn then ends, and lets it go. False if nobody holds it. Errors:
   * `SESSION_NOT_FOUND`, `FORBIDDEN`, `SESSION_BUSY` in a turn, unless forced.
   * @param ask asks the holder to end it in order: true when that is done, and nothing need be taken
   */
  async endHolding(id: SessionId, { force = false, ask }: Ending = {}): Promise<boolean> {
    await this.require(id, "own");
    const record = await this.#options.store.get(id);
    if (record === undefined || whyHidden(record) !== undefined) throw sessionNotFound(id);
    const self = thisHolder();
    if (!isHeld(record.lease, self) || isSameHolder(record.lease.holder, self)) return false;
    if ((await ask?.(record.lease.holder)) !== true) {
      const taking = { mayTake: mayTake(force ? "takeover" : "idle", self) };
      const { journal } = await this.#options.take(id, taking);
      await journal.settle();
      await journal.release();
    }
    this.#guard?.tell({ what: "ended", id, forced: force });
    return true;
  }

  get #guard(): Guard | undefined {
    return guardOf(this.#options.store);
  }

  #required(): Guard {
    const guard = this.#guard;
    if (guard !== undefined) return guard;
    throw new SidecarError(
      "STORE_UNSUPPORTED",
      "This store knows no owners: open it with openStore or guardedStore",
    );
  }

  async #record(id: SessionId, needs: Permission | "own"): Promise<SessionRecord> {
    const guard = this.#required();
    const { record } = await guard.required(id, needs);
    if (whyHidden(record) !== undefined) throw sessionNotFound(id);
    return record;
  }
}

/** Whether a session may be deleted by who uses the store. */
export async function mayDelete(store: Store, id: SessionId): Promise<boolean> {
  const guard = guardOf(store);
  const access = await guard?.access;
  if (guard === undefined || (access?.principal === undefined && access?.token === undefined)) return true;
  return (await guard.visible(id))?.rights.may.has("delete") === true;
}

/** Errors: `FORBIDDEN` for a session that may be seen and not deleted; nothing is said of one that is not there. */
export async function assertMayDelete(store: Store, id: SessionId): Promise<void> {
  const guard = guardOf(store);
  if (guard === undefined || (await mayDelete(store, id))) return;
  if ((await guard.visible(id)) !== undefined) await guard.required(id, "delete");
}

function nobodys(id: SessionId): SidecarError {
  const own = `make it yours first: acp-sidecar sessions own ${id} --identity NAME`;
  return new SidecarError(
    "INVALID_PARAMS",
    `Session ${id} is nobody's, so everybody who opens the store has it; ${own}`,
    {
      data: { sessionId: id },
    },
  );
}

function wrong(at: string, be: string): SidecarError {
  return new SidecarError("INVALID_PARAMS", `${at} must be ${be}`, { data: { at } });
}

/** Once for each process that acts by it, and again when another one takes its place. */
function noteTokenUse(news: AccessNews, audit: Audit): void {
  if (news.what !== "tokenUsed") return;
  audit.actAs?.(news.principal);
  audit.note({ what: "token.use", facts: { id: news.token, name: news.name } });
}
