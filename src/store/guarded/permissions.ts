/** What somebody may do with a session, and what the scopes of tokens stand for. A leaf. */

/**
 * `prompt`: all that changes it; `decide`: what an agent asks permission for; `export`: take it along, also as a fork.
 * Sharing and ending by force are its owner's.
 */
export const permissions = ["read", "prompt", "decide", "export", "delete"] as const;

export type Permission = (typeof permissions)[number];

/** `admin` is as its maker: also what is an owner's. */
export type Scope = "read" | "write" | "admin";

export const scopes: Readonly<Record<Scope, readonly Permission[]>> = {
  read: ["read"],
  write: ["read", "prompt", "decide", "export"],
  admin: permissions,
};

export function isPermission(text: string): text is Permission {
  return (permissions as readonly string[]).includes(text);
}
