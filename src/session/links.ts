/** Addresses by which whoever has one reads one session in the web view, until they end or are taken back. */
import { SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type { SessionRecord, Store } from "../store/contract.ts";
import type { Link } from "../store/guarded/links.ts";
import type { Token } from "../store/guarded/tokens.ts";

/** A link ends by itself, even where nobody says when. */
const defaultMs = 7 * 86_400_000;
const mostLinks = 100;

interface SessionLinksOptions {
  readonly store: Store;
  readonly now: () => number;
  /** The record of a session of one's own. Errors: `SESSION_NOT_FOUND`, `FORBIDDEN`. */
  readonly own: (id: SessionId) => Promise<SessionRecord>;
}

/** All ask for what a session's owner may, or an admin. Errors: `SESSION_NOT_FOUND`, `FORBIDDEN`. */
export class SessionLinks {
  readonly #options: SessionLinksOptions;

  constructor(options: SessionLinksOptions) {
    this.#options = options;
  }

  /**
   * @param untilMs when it ends; in a week, unless told
   * @returns `fragment` is what stands behind the address of `acp-sidecar http`; given out once
   * Errors: `INVALID_PARAMS` for a time that is over, and for more than a hundred links.
   */
  async make(id: SessionId, { untilMs }: { readonly untilMs?: number } = {}): Promise<Link> {
    const { store, now, own } = this.#options;
    const record = await own(id);
    if (untilMs !== undefined && !(untilMs > now())) throw wrong("untilMs", "a time that is not over");
    const tooMany = () => wrong("links", `at most ${mostLinks}: end some first`);
    const { dropLink, linksTo, makeLink } = await loaded();
    if ((await linksTo(store, record, now(), "sweep")).length >= mostLinks) throw tooMany();
    const made = await makeLink(store, record, untilMs ?? now() + defaultMs);
    // Others may have been made meanwhile: the oldest stay.
    const oldest = (await this.list(id)).slice(-mostLinks);
    if (oldest.length < mostLinks || oldest.some((each) => each.id === made.token.id)) return made;
    await dropLink(store, made.token);
    throw tooMany();
  }

  /** Those that have not ended, the newest first; without what is secret of them. */
  async list(id: SessionId): Promise<readonly Token[]> {
    const { store, now, own } = this.#options;
    const record = await own(id);
    return (await loaded()).linksTo(store, record, now());
  }

  /** All of them. Who has one reads nothing more within seconds. Returns how many there were. */
  async end(id: SessionId): Promise<number> {
    const links = await this.list(id);
    const { dropLink } = await loaded();
    for (const link of links) await dropLink(this.#options.store, link);
    return links.length;
  }
}

const loaded = () => import("../store/guarded/links.ts");

function wrong(at: string, be: string): SidecarError {
  return new SidecarError("INVALID_PARAMS", `${at} must be ${be}`, { data: { at } });
}
