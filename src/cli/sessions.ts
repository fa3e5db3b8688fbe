/** The sessions that a command line is about: the configured store, opened for one command. */
import { startBackground } from "../background.ts";
import { createLogger } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import type { LoadedConfig } from "../config/load.ts";
import { SidecarError } from "../base/errors.ts";
import { formatDurationMs, parseDurationMs, unitWanted } from "../config/units.ts";
import { isSameFolder } from "../base/folder.ts";
import type { Addressed } from "../session/address.ts";
import type { Archived } from "../session/archived.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import { refusalIn } from "../session/audited-sharing.ts";
import { SessionRegistry } from "../session/registry.ts";
import { openGuarded } from "../store/guarded/open.ts";
import { assertStoreThere, emptyPlaceOf } from "../care/maintenance.ts";
import { auditFor } from "./audited.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";
import { LeftOut } from "./left-out.ts";

/** How long who is told of what a command did may take; the rest is told by the next process. */
const hooksGraceMs = 5000;

/**
 * What a command opens that looks into the configured store and makes none. Nobody has typed the default: where
 * it is not there yet, it has no sessions. Errors: `STORE_UNAVAILABLE` where any other is not there.
 */
export function urlToRead({ config, origins }: LoadedConfig): string {
  if (origins.store === "default" && emptyPlaceOf(config.store) !== undefined) return "memory:";
  assertStoreThere(config.store);
  return config.store;
}

interface Opened {
  /** The registry's. */
  readonly store: Awaited<ReturnType<typeof openGuarded>>;
}

/**
 * Opens the configured store, hands its sessions to `use`, and closes it whatever happens. A status that `use` returns
 * becomes another one where sessions were left out, because they cannot be read; stderr then says which.
 * @param ifAbsent where there is no store: refuse, make one, or go on as if there were an empty one
 */
export async function withSessions<T>(
  invocation: Invocation,
  io: Io,
  use: (registry: SessionRegistry, config: Config, leftOut: LeftOut, opened: Opened) => Promise<T>,
  { ifAbsent = "refuse" }: { readonly ifAbsent?: "refuse" | "make" | "imagine" } = {},
): Promise<T> {
  const loaded = await configOf(invocation, io);
  const { store: url } = loaded.config;
  const isImagined = ifAbsent === "imagine" && emptyPlaceOf(url) !== undefined;
  const toOpen = isImagined ? "memory:" : ifAbsent === "make" ? url : urlToRead(loaded);
  const store = await openGuarded(toOpen, loaded.config);
  const audit = auditFor(loaded.config, io);
  const leftOut = new LeftOut();
  const registry = new SessionRegistry({ ...loaded.config, store, audit, onUnreadable: leftOut.note });
  const log = createLogger({ level: "warn", target: io.errors, readable: true });
  const background = startBackground(loaded.config, {
    registry,
    place: { store, url: toOpen },
    log,
    env: io.env,
  });
  try {
    const result = await use(registry, loaded.config, leftOut, { store });
    return typeof result === "number" ? (leftOut.tell(result, io) as T) : result;
  } catch (error) {
    const what = refusalIn(error);
    if (what !== undefined) audit.noteRefused({ what }, error);
    throw error;
  } finally {
    await registry.close();
    await background.close(hooksGraceMs);
    await Promise.all([store.close(), audit.close()]);
  }
}

/** What an address on the command line means. `last` is the newest session of the folder that we are in, no archived one unless told. */
export function addressed(
  registry: SessionRegistry,
  address: string,
  { env }: Pick<Io, "env">,
  archived?: Archived,
): Promise<Addressed> {
  const here = process.cwd();
  // A shell's own spelling may have links in it, as an editor's may.
  const asTyped = env["PWD"] !== undefined && isSameFolder(env["PWD"], here) ? [env["PWD"]] : [];
  return registry.resolve(address, [here, ...asTyped], archived);
}

/** The same for what is done to whole sessions. Errors: `USAGE` where an entry is named. */
export async function sessionAt(
  registry: SessionRegistry,
  address: string,
  io: Pick<Io, "env">,
  archived?: Archived,
): Promise<SessionRecord> {
  const { record, seq } = await addressed(registry, address, io, archived);
  if (seq === undefined) return record;
  throw new SidecarError("USAGE", `${address} names an entry; allowed: a session, such as ${record.id}`);
}

/** A whole number from a flag. Errors: `USAGE`. */
export function countFrom(flag: string, text: string | true | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new SidecarError("USAGE", `--${flag} is ${JSON.stringify(text)}; allowed: a whole number above 0`);
}

/** Milliseconds from a flag. Errors: `USAGE`. */
export function timeFrom(flag: string, text: string | true, { min, max }: Bounds): number {
  const ms = parseDurationMs(String(text));
  if (ms >= min && ms <= max) return ms;
  const unit = unitWanted(text);
  const wrong = `--${flag} is ${JSON.stringify(text)}${unit === undefined ? "" : `, but ${unit}`}`;
  const allowed = `a time like 12h or 30d, from ${formatDurationMs(min)} to ${formatDurationMs(max)}`;
  throw new SidecarError("USAGE", `${wrong}; allowed: ${allowed}`);
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}
