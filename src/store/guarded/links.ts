/**
 * Links: addresses of the web view by which whoever has one reads one session, until a time. Each carries a token of its own,
 * so it can be taken back, and the store keeps only a hash of it.
 */
import type { SessionRecord, Store } from "../contract.ts";
import { ownerOf } from "./marks.ts";
import { allTokens, dropToken, forgetTokens, keepToken, type Token } from "./tokens.ts";

export interface Link {
  readonly token: Token;
  /** What stands behind the address of the web view. A browser sends it to nobody. */
  readonly fragment: string;
}

/** Reads what the session's owner reads, and nothing else. Whether it may be made has been asked. */
export async function makeLink(
  store: Store,
  { id, metadata }: Pick<SessionRecord, "id" | "metadata">,
  untilMs: number,
): Promise<Link> {
  const { token, secret } = await keepToken(store, {
    ...{ name: `link-${id.slice(-8)}`, scope: "read", permissions: ["read"], isAdmin: false },
    ...{ principal: ownerOf(metadata), sessions: [id], folder: undefined, untilMs, isLink: true },
  });
  return { token, fragment: `#token=${secret}&${id}` };
}

/**
 * Those that lead there and have not ended, the newest first: what was nobody's and has an owner now has new ones.
 * @param sweep removes links that have ended, wherever they led: nobody takes those back one by one
 */
export async function linksTo(
  store: Store,
  { id, metadata }: Pick<SessionRecord, "id" | "metadata">,
  nowMs: number,
  sweep?: "sweep",
): Promise<readonly Token[]> {
  const links = (await allTokens(store)).filter(({ isLink }) => isLink === true);
  const hasEnded = ({ untilMs = Infinity }: Token) => untilMs <= nowMs;
  if (sweep !== undefined) await forgetTokens(store, links.filter(hasEnded));
  const owner = ownerOf(metadata);
  const leadsThere = ({ sessions = [], principal }: Token) =>
    sessions.length === 1 && sessions[0] === id && principal === owner;
  return links.filter((link) => leadsThere(link) && !hasEnded(link));
}

/** Whoever has it reads nothing more. */
export const dropLink = dropToken;
