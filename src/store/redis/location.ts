/** What a `redis://` URL says. */
import type { SidecarError } from "../../base/errors.ts";
import { serverUrl, unusable } from "../server/url.ts";

export interface RedisLocation {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly tls: boolean;
  /** Host and port, fit for messages. */
  readonly place: string;
  /** What every key starts with. */
  readonly prefix: string;
  /** How long the server keeps a session that nobody writes to; undefined: forever. */
  readonly retentionMs: number | undefined;
}

const defaultPrefix = "acp-sidecar:";

/** `redis://` and `rediss://` (TLS), with `prefix` and `ttlMs` in the query. Errors: `CONFIG_INVALID`. */
export function parseRedisUrl(text: string): RedisLocation {
  const url = serverUrl("Redis", text, ["redis", "rediss"], "write redis://host:6379, or rediss:// for TLS");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1") || "127.0.0.1";
  const port = Number(url.port || 6379);
  return {
    host,
    port,
    username: decoded(url.username),
    password: decoded(url.password),
    db: databaseIn(url.pathname),
    tls: url.protocol === "rediss:",
    place: `${host}:${port}`,
    prefix: prefixIn(url.searchParams.get("prefix")),
    retentionMs: retentionIn(url.searchParams.get("ttlMs")),
  };
}

function decoded(text: string): string | undefined {
  if (text === "") return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("write a % in user or password as %25");
  }
}

function databaseIn(path: string): number {
  const db = Number(path.slice(1) || 0);
  if (Number.isInteger(db) && db >= 0) return db;
  throw invalid("what follows the host must be the number of a database, such as /0");
}

/** Braces in a prefix would change what the keys are distributed by. */
function prefixIn(given: string | null): string {
  const prefix = given ?? defaultPrefix;
  if (/^[A-Za-z0-9_.:-]{1,64}$/.test(prefix)) return prefix;
  throw invalid("its prefix must be letters, digits and _ . : - only");
}

function retentionIn(given: string | null): number | undefined {
  if (given === null) return undefined;
  const retentionMs = Number(given);
  if (Number.isSafeInteger(retentionMs) && retentionMs > 0) return retentionMs;
  throw invalid("its ttlMs must be a number of milliseconds");
}

function invalid(advice: string): SidecarError {
  return unusable("Redis", advice);
}
