/**
 * Links: addresses of the web view by which whoever has one reads one session, until a time. Each carries a token of its own,
 * so it can be taken back, and the store keeps only a hash of it.
 */
import type { SessionId } from "../../base/ids.ts";
import type { SessionRecord, Store } from "../contract.ts";
import { ownerOf } from "./marks.ts";
import { allTokens, keepToken, type Token } from "./tokens.ts";

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

/** Those that have not ended, the newest first. */
export async function linksTo(store: Store, id: SessionId, nowMs: number): Promise<readonly Token[]> {
  return (await allTokens(store)).filter(
    ({ isLink, sessions, untilMs = Infinity }) =>
      isLink === true && sessions?.length === 1 && sessions[0] === id && untilMs > nowMs,
  );
}
