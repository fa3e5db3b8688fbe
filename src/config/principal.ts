/** As whom we act: the name under which an audit has what we did. */
import os from "node:os";
import { principalFrom } from "../base/principal-name.ts";
import type { Config } from "./config.ts";

/**
 * The configured identity, else the user and the host. The latter owns nothing: it is another one when the host gets
 * another name.
 */
export function principalName({ identity }: Pick<Config, "identity">): string {
  return principalFrom(identity) ?? principalFrom(userAtHost()) ?? "unknown";
}

function userAtHost(): string {
  // What is odd in either is none of the user's doing: it is left out.
  const plain = (text: string) => text.replace(/[\p{C}\p{Z}]/gu, "").slice(0, 60);
  return `${plain(userName()) || "unknown"}@${plain(os.hostname()) || "unknown"}`;
}

function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    // A container's arbitrary user has no entry among the users.
    return process.getuid === undefined ? "" : `uid${process.getuid()}`;
  }
}
