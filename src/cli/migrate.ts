/** `migrate`, `backup`, `restore`: all sessions of one store into another. */
import { SidecarError } from "../base/errors.ts";
import { migrateSessions } from "../care/migrate.ts";
import { openStore } from "../store/open.ts";
import type { StoreBackup } from "../care/medium.ts";
import type { Store } from "../store/contract.ts";
import { assertStoreThere, backUpStore } from "../care/maintenance.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";
import { print, printJson, sizeText } from "./print.ts";

export function migrate({ flags }: Invocation, io: Io): Promise<number> {
  return copySessions(
    urlIn("migrate", "from", flags["from"]),
    urlIn("migrate", "to", flags["to"]),
    flags,
    io,
  );
}

export async function backup(invocation: Invocation, io: Io): Promise<number> {
  const { config } = await configOf(invocation, io);
  return copyStore(config.store, urlIn("backup", "to", invocation.flags["to"]), invocation.flags, io);
}

export async function restore(invocation: Invocation, io: Io): Promise<number> {
  const { config } = await configOf(invocation, io);
  return copyStore(urlIn("restore", "from", invocation.flags["from"]), config.store, invocation.flags, io);
}

/** A store of the same kind that is not there yet is made by the store's own means, else by the sessions. */
async function copyStore(
  fromUrl: string,
  toUrl: string,
  flags: Invocation["flags"],
  io: Io,
): Promise<number> {
  assertCopyable(fromUrl, toUrl);
  const copy = await backUpStore(fromUrl, toUrl);
  if (copy === undefined) return copySessions(fromUrl, toUrl, flags, io);
  if (flags["json"]) await printJson(io, { copied: copy.sessions, skipped: 0, ...entriesAndBytes(copy) });
  else await print(io, `${copy.sessions} sessions copied, ${sizeText(copy.bytes)}\n`);
  return 0;
}

function entriesAndBytes({ entries, bytes }: StoreBackup) {
  return { ...(entries !== undefined && { entries }), bytes };
}

async function copySessions(
  fromUrl: string,
  toUrl: string,
  flags: Invocation["flags"],
  io: Io,
): Promise<number> {
  assertCopyable(fromUrl, toUrl);
  return withStores(fromUrl, toUrl, async (from, to) => {
    const result = await migrateSessions(from, to, async ({ id, outcome, done, total }) => {
      if (!flags["json"]) await print(io, `${done}/${total}  ${id}  ${outcome}\n`);
    });
    if (flags["json"]) await printJson(io, result);
    else
      await print(
        io,
        `${result.copied} sessions copied, ${result.skipped} there already, all compared by content\n`,
      );
    return 0;
  });
}

/** Errors: `USAGE`, `STORE_UNAVAILABLE`. */
function assertCopyable(fromUrl: string, toUrl: string): void {
  if (fromUrl === toUrl) throw new SidecarError("USAGE", "Both URLs name the same store; name another one");
  assertStoreThere(fromUrl);
}

function urlIn(command: string, flag: string, value: string | true | undefined): string {
  if (typeof value === "string") return value;
  throw new SidecarError("USAGE", `${command} needs --${flag} URL, such as sqlite:/path/to/sessions.db`);
}

async function withStores<T>(
  fromUrl: string,
  toUrl: string,
  use: (from: Store, to: Store) => Promise<T>,
): Promise<T> {
  const from = await openStore(fromUrl);
  try {
    const to = await openStore(toUrl);
    try {
      return await use(from, to);
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}
