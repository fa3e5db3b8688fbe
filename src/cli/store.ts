/** The store that a command line names, opened for one command. */
import type { Config } from "../config/config.ts";
import type { LoadedConfig } from "../config/load.ts";
import { SidecarError } from "../base/errors.ts";
import { isSessionId, toSessionId, type SessionId } from "../base/ids.ts";
import { sessionNotFound } from "../store/refusals.ts";
import { openStore } from "../store/open.ts";
import type { SessionRecord, Store } from "../store/contract.ts";
import { assertStoreThere, emptyPlaceOf } from "../care/maintenance.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";

/**
 * What a command opens that looks into the configured store and makes none. Nobody has typed the default: where
 * it is not there yet, it has no sessions. Errors: `STORE_UNAVAILABLE` where any other is not there.
 */
export function urlToRead({ config, origins }: LoadedConfig): string {
  if (origins.store === "default" && emptyPlaceOf(config.store) !== undefined) return "memory:";
  assertStoreThere(config.store);
  return config.store;
}

/** Opens the configured store, which must be there, hands it to `use`, and closes it whatever happens. */
export async function withStore<T>(
  invocation: Invocation,
  io: Io,
  use: (store: Store, config: Config) => Promise<T>,
): Promise<T> {
  const loaded = await configOf(invocation, io);
  const store = await openStore(urlToRead(loaded));
  try {
    return await use(store, loaded.config);
  } finally {
    await store.close();
  }
}

/** Errors: `SESSION_NOT_FOUND`. */
export async function sessionOf(store: Store, text: string): Promise<SessionRecord> {
  const id = idOf(text);
  const record = await store.get(id);
  if (record === undefined) throw sessionNotFound(id);
  return record;
}

/** Ids are upper case; people need not be. Errors: `SESSION_NOT_FOUND`. */
export function idOf(text: string): SessionId {
  const upper = text.toUpperCase();
  return toSessionId(isSessionId(upper) ? upper : text);
}

/** A whole number from a flag. Errors: `USAGE`. */
export function countFrom(flag: string, text: string | true | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new SidecarError("USAGE", `--${flag} is ${JSON.stringify(text)}; allowed: a whole number above 0`);
}
