/**
 * Tokens: secrets that stand for a principal, with less than that principal may do. The store keeps of each only a hash, in
 * a hidden record, so that every kind of store has them, and an encrypted one encrypted.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { SidecarError } from "../../base/errors.ts";
import { newSessionId, type SessionId } from "../../base/ids.ts";
import { objectIn } from "../../base/json.ts";
import { principalFrom } from "../../base/principal-name.ts";
import { isTokenForm, tokenOf } from "../../base/token-form.ts";
import type { SessionRecord, Store } from "../contract.ts";
import type { Access } from "./access.ts";
import { guardOf } from "./guard.ts";
import { isPermission, scopes, type Permission, type Scope } from "./permissions.ts";

/** What is known of a token; the secret itself is nowhere. */
export interface Token {
  readonly id: SessionId;
  /** For people. */
  readonly name: string;
  readonly scope: Scope;
  readonly permissions: readonly Permission[];
  /** As whom whoever has it acts; absent: as everybody who opens the store without an identity. */
  readonly principal?: string;
  readonly isAdmin: boolean;
  readonly sessions?: readonly string[];
  readonly folder?: string;
  /** It stands in an address by which its one session is read (`links.ts`). */
  readonly isLink?: true;
  readonly createdAtMs: number;
  readonly untilMs?: number;
}

export type TokenWish = Pick<Token, "name" | "scope"> &
  Partial<Pick<Token, "permissions" | "sessions" | "folder" | "untilMs">>;

const hashKey = "acp-sidecar.token";
const factsKey = "acp-sidecar.tokenFacts";
const hidden = { "acp-sidecar.hidden": "token" };
const mostSessions = 100;

/** The secret is given out once. Errors: `FORBIDDEN` to whoever uses a token, or wants more than they have; `INVALID_PARAMS`. */
export async function createToken(store: Store, wish: TokenWish): Promise<{ token: Token; secret: string }> {
  const guard = guardOf(store);
  const access = (await guard?.access) ?? { isAdmin: false };
  if (access.token !== undefined) throw withToken();
  const name = principalFrom(wish.name);
  if (name === undefined) throw wrong("name", "a name of visible characters");
  if ((wish.sessions?.length ?? 0) > mostSessions)
    throw wrong("sessions", `at most ${mostSessions} sessions`);
  const { principal, isAdmin } = access;
  const { scope, permissions = scopes[scope], sessions, folder, untilMs } = wish;
  return keepToken(store, {
    ...{ name, scope, isAdmin: isAdmin && scope === "admin" },
    // Whoever may do anything else may read.
    permissions: scopes[scope].filter((each) => each === "read" || permissions.includes(each)),
    ...{ principal, sessions, folder, untilMs },
  });
}

type TokenFacts = { readonly [K in Exclude<keyof Token, "id" | "createdAtMs">]: Token[K] | undefined };

/** A new token, whoever may have it. */
export async function keepToken(
  store: Store,
  facts: Omit<TokenFacts, "isLink"> & Partial<Pick<TokenFacts, "isLink">>,
): Promise<{ token: Token; secret: string }> {
  const secret = tokenOf(randomBytes(32));
  const record = await innerOf(store).create({
    ...{ id: newSessionId(), createdAtMs: Date.now(), updatedAtMs: 0, cwd: "/", additionalDirectories: [] },
    ...{ mcpServerNames: [], agentSessionIds: [], settings: {} },
    metadata: { ...hidden, [hashKey]: hashOf(secret), [factsKey]: JSON.stringify(facts) },
  });
  await innerOf(store).flush();
  const token = tokenIn(record);
  guardOf(store)?.tell({ what: "tokenMade", token: token.id, name: token.name });
  return { token, secret };
}

/** One's own; an admin's are all. The newest first. */
export async function listTokens(store: Store): Promise<readonly Token[]> {
  const access = (await guardOf(store)?.access) ?? { isAdmin: true };
  if (access.token !== undefined) throw withToken();
  return (await allTokens(store)).filter(({ principal }) => access.isAdmin || principal === access.principal);
}

/** Whosever they are, the newest first. */
export async function allTokens(store: Store): Promise<readonly Token[]> {
  const tokens = (await recordsOf(store)).map(tokenIn);
  return tokens.sort((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1));
}

/** By its id, or by its name if no other has that. Errors: `INVALID_PARAMS` for one that there is not, or that is not clear. */
export async function revokeToken(store: Store, named: string): Promise<Token> {
  const all = await listTokens(store);
  const found = all.filter(({ id, name }) => id === named.toUpperCase() || name === named.normalize("NFC"));
  const [token] = found;
  if (token === undefined) throw wrong("token", "one that acp-sidecar token ls shows");
  if (found.length > 1)
    throw wrong("token", `the id of one of the ${found.length} that have this name; token ls lists them`);
  await dropToken(store, token);
  return token;
}

export async function dropToken(store: Store, { id, name }: Token): Promise<void> {
  await innerOf(store).delete(id);
  await innerOf(store).flush();
  guardOf(store)?.tell({ what: "tokenRevoked", token: id, name });
}

/** Such as have ended: nobody is told. */
export async function forgetTokens(store: Store, tokens: readonly Token[]): Promise<void> {
  for (const { id } of tokens) await innerOf(store).delete(id);
}

/** What whoever has this secret may do. Errors: `TOKEN_INVALID`, alike for what is unknown, has ended or was revoked. */
export async function tokenGrant(store: Store, secret: string): Promise<Access> {
  const hash = hashOf(secret);
  const records = isTokenForm(secret) ? await recordsOf(store, hash) : [];
  const record = records.find(({ metadata }) => isSame(String(metadata[hashKey]), hash));
  const token = record && tokenIn(record);
  if (token === undefined || (token.untilMs ?? Infinity) <= Date.now()) throw tokenInvalid();
  const { id, name, scope, permissions, principal, isAdmin, sessions, folder, isLink } = token;
  return {
    isAdmin,
    ...(principal !== undefined && { principal }),
    token: {
      ...{ id, name, permissions, isOwners: scope === "admin" },
      ...(sessions && { sessions }),
      ...(folder !== undefined && { folder }),
      ...(isLink && { isLink }),
    },
  };
}

export function tokenInvalid(): SidecarError {
  return new SidecarError(
    "TOKEN_INVALID",
    "The token is not valid: it is unknown, has ended or was revoked; ask who gave it for a new one",
  );
}

function innerOf(store: Store): Store {
  return guardOf(store)?.inner ?? store;
}

async function recordsOf(store: Store, hash?: string): Promise<readonly SessionRecord[]> {
  const found: SessionRecord[] = [];
  const metadata = { ...hidden, ...(hash !== undefined && { [hashKey]: hash }) };
  for (let cursor: string | undefined; ;) {
    const query = { metadata, limit: 1000, ...(cursor !== undefined && { cursor }) };
    const page = await innerOf(store).list(query);
    found.push(...page.items);
    cursor = page.nextCursor;
    if (cursor === undefined) return found;
  }
}

function tokenIn({ id, createdAtMs, metadata }: SessionRecord): Token {
  const { name, scope, permissions, ...facts } = objectIn(String(metadata[factsKey])) ?? {};
  const { principal, isAdmin, sessions, folder, untilMs, isLink } = facts;
  return {
    ...{ id, createdAtMs, name: String(name) },
    scope: scope === "admin" || scope === "write" ? scope : "read",
    permissions: Array.isArray(permissions) ? permissions.map(String).filter(isPermission) : [],
    isAdmin: isAdmin === true,
    ...(typeof principal === "string" && { principal }),
    ...(Array.isArray(sessions) && { sessions: sessions.map(String) }),
    ...(typeof folder === "string" && { folder }),
    ...(isLink === true && { isLink }),
    ...(untilMs !== undefined && { untilMs: Number(untilMs) }),
  };
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** In the same time whatever they are. */
function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function withToken(): SidecarError {
  return new SidecarError(
    "FORBIDDEN",
    "Who acts by a token makes, sees and revokes no tokens; use an identity",
    {
      data: { needs: "own" },
    },
  );
}

function wrong(at: string, be: string): SidecarError {
  return new SidecarError("INVALID_PARAMS", `${at} must be ${be}`, { data: { at } });
}
