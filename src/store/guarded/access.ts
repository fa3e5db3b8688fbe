/** As whom a store is used, and what that allows with each of its sessions. Pure. */
import { isWithin } from "../../base/folder.ts";
import type { NewSession } from "../contract.ts";
import { hiddenAs, isOwned, ownerOf, shareWith } from "./marks.ts";
import { permissions, type Permission } from "./permissions.ts";

/** What a token leaves of what its maker may do. */
export interface TokenLimits {
  readonly id: string;
  readonly name: string;
  readonly permissions: readonly Permission[];
  /** Whether what is an owner's is allowed: to share, to end by force. */
  readonly isOwners: boolean;
  /** Only these; no new ones. */
  readonly sessions?: readonly string[];
  /** Only in this folder and those in it. */
  readonly folder?: string;
  /** Whoever has an address has it: it is for the session there, and nothing beside it. */
  readonly isLink?: true;
}

export interface Access {
  /** Absent: a stranger to all that belongs to somebody. */
  readonly principal?: string;
  /** Reaches all, whosever it is. */
  readonly isAdmin: boolean;
  readonly token?: TokenLimits;
}

/** What somebody may do with one session. */
export interface Rights {
  readonly may: ReadonlySet<Permission>;
  /** As its owner. */
  readonly isOwners: boolean;
  /** Somebody else's: what is allowed today may be forbidden tomorrow. */
  readonly isLent: boolean;
}

const all: Rights = { may: new Set(permissions), isOwners: true, isLent: false };
const none: Rights = { may: new Set(), isOwners: false, isLent: true };

/** What belongs to a session is let go of by whoever has deleted that. */
export const rightsOfDeleted: Rights = { may: new Set(["prompt", "delete"]), isOwners: false, isLent: true };

export function rightsOn(record: NewSession, access: Access, nowMs: number): Rights {
  const rights = rightsOfPrincipal(record, access, nowMs);
  const { token } = access;
  return token === undefined || rights === none ? rights : limited(rights, record, token);
}

function rightsOfPrincipal({ metadata }: NewSession, access: Access, nowMs: number): Rights {
  const { principal, isAdmin } = access;
  // Tokens have a way of their own.
  if (hiddenAs(metadata) === "token") return none;
  if (isAdmin || !isOwned(metadata)) return all;
  if (principal === undefined) return none;
  if (ownerOf(metadata) === principal) return all;
  // What is in the trash, or no session yet, is its owner's alone.
  const share = hiddenAs(metadata) === undefined ? shareWith(metadata, principal, nowMs) : undefined;
  return share === undefined ? none : { may: new Set(share.permissions), isOwners: false, isLent: true };
}

function limited(rights: Rights, record: NewSession, token: TokenLimits): Rights {
  // Tombstones lie nowhere. What belongs to a session is as that session is, which the guard looks at.
  if (hiddenAs(record.metadata) !== "deleted" && !isInLimits(record, token)) return none;
  const may = new Set(token.permissions.filter((each) => rights.may.has(each)));
  return { may, isOwners: rights.isOwners && token.isOwners, isLent: true };
}

function isInLimits({ id, cwd }: NewSession, { sessions, folder }: TokenLimits): boolean {
  if (sessions !== undefined && !sessions.includes(id)) return false;
  return folder === undefined || isWithin(cwd, folder);
}

/** Whether a new session may be made there. */
export function mayMake(cwd: string, access: Access): boolean {
  const { token } = access;
  if (token === undefined) return true;
  if (!token.permissions.includes("prompt") || token.sessions !== undefined) return false;
  return mayReach([cwd], access);
}

/** Whether an agent may be sent there. */
export function mayReach(folders: readonly string[], { token }: Access): boolean {
  const { folder } = token ?? {};
  return folder === undefined || folders.every((each) => isWithin(each, folder));
}

/** Under what is derived from all that somebody sees: nobody else may find it there. */
export function viewOf({ principal, isAdmin, token }: Access): string {
  const of = isAdmin ? "#all" : principal === undefined ? "" : `#as ${principal}`;
  return token === undefined ? of : `${of}#token ${token.id}`;
}
