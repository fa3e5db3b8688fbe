/** `migrate`, `backup`, `restore`: all sessions of one store into another. */
import { redactStoreUrl } from "../base/redact.ts";
import { SidecarError } from "../base/errors.ts";
import { sizeText } from "../base/size-text.ts";
import { assertApart } from "../care/apart.ts";
import { migrateSessions } from "../care/migrate.ts";
import type { Config } from "../config/config.ts";
import { openWhole } from "../store/guarded/open.ts";
import type { StoreBackup } from "../care/damage.ts";
import type { Store } from "../store/contract.ts";
import { assertStoreThere, backUpStore } from "../care/maintenance.ts";
import { withAudit } from "./audited.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";
import { interruptible } from "./interrupt.ts";
import { LeftOut } from "./left-out.ts";
import { countText, print, printJson } from "./print.ts";
import { Progress } from "./progress.ts";

interface Copy {
  /** The command. */
  readonly name: "migrate" | "backup" | "restore";
  readonly fromUrl: string;
  readonly toUrl: string;
  readonly flags: Invocation["flags"];
  /** A source is read as it is; a new target is encrypted if a key is named. */
  readonly config: Config;
}

export async function migrate(invocation: Invocation, io: Io): Promise<number> {
  const { flags } = invocation;
  const fromUrl = urlIn("migrate", "from", flags["from"]);
  const toUrl = urlIn("migrate", "to", flags["to"]);
  assertCopyable(fromUrl, toUrl);
  const { config } = await configOf(invocation, io);
  return watching({ name: "migrate", fromUrl, toUrl, flags, config }, io, copySessions);
}

export async function backup(invocation: Invocation, io: Io): Promise<number> {
  const { config } = await configOf(invocation, io);
  const { flags } = invocation;
  return copyStore(
    { name: "backup", fromUrl: config.store, toUrl: urlIn("backup", "to", flags["to"]), flags, config },
    io,
  );
}

export async function restore(invocation: Invocation, io: Io): Promise<number> {
  const { config } = await configOf(invocation, io);
  const { flags } = invocation;
  return copyStore(
    { name: "restore", fromUrl: urlIn("restore", "from", flags["from"]), toUrl: config.store, flags, config },
    io,
  );
}

/** A store of the same kind that is not there yet is made by the store's own means, else by the sessions. */
function copyStore(copy: Copy, io: Io): Promise<number> {
  assertCopyable(copy.fromUrl, copy.toUrl);
  return watching(copy, io, async (_, io, progress, signal) => {
    const { fromUrl, toUrl, flags } = copy;
    const whole = await backUpStore(fromUrl, toUrl, progress.watch(signal));
    if (whole === undefined) return copySessions(copy, io, progress, signal);
    progress.end();
    if (flags["json"]) await printJson(io, { copied: whole.sessions, skipped: 0, ...entriesAndBytes(whole) });
    else await print(io, `${countText(whole.sessions, "session")} copied, ${sizeText(whole.bytes)}\n`);
    return 0;
  });
}

type Copying = (copy: Copy, io: Io, progress: Progress, signal: AbortSignal) => Promise<number>;

/** Shows how far it is; Ctrl-C ends it in order. */
async function watching(copy: Copy, io: Io, copying: Copying): Promise<number> {
  const progress = new Progress(copy, io, copy.name);
  progress.stage("copying", "parts");
  const goOn = () =>
    progress.unit === "sessions" && progress.done > 0
      ? `${countText(progress.done, "session is", "sessions are")} copied; run it again, and it goes on there`
      : "nothing is left of it; run it again to copy all";
  try {
    const act = () => interruptible(goOn, (signal) => copying(copy, io, progress, signal));
    const facts = { from: redactStoreUrl(copy.fromUrl), to: redactStoreUrl(copy.toUrl) };
    const deed = { what: `store.${copy.name}`, facts } as const;
    return await withAudit(copy.config, io, (audit) => audit.around(deed, act));
  } finally {
    progress.end();
  }
}

function entriesAndBytes({ entries, bytes }: StoreBackup) {
  return { ...(entries !== undefined && { entries }), bytes };
}

const copySessions: Copying = (copy, io, progress, signal) =>
  withStores(copy, async (from, to) => {
    const { flags } = copy;
    progress.stage("copying", "sessions");
    const { onProgress, ...watch } = progress.watch(signal);
    const result = await migrateSessions(from, to, ({ done, total }) => onProgress(done, total), watch);
    progress.end();
    const { unreadable = [], ...copied } = result;
    const leftOut = new LeftOut();
    for (const each of unreadable) leftOut.note(each);
    if (flags["json"]) await printJson(io, { ...copied, ...leftOut.asJson });
    else
      await print(
        io,
        `${countText(result.copied, "session")} copied, ${result.skipped} there already, all compared by content\n`,
      );
    return leftOut.tell(0, io);
  });

/** Errors: `USAGE`, `STORE_UNAVAILABLE`. */
function assertCopyable(fromUrl: string, toUrl: string): void {
  assertApart(fromUrl, toUrl);
  assertStoreThere(fromUrl);
}

function urlIn(command: string, flag: string, value: string | true | undefined): string {
  if (typeof value === "string") return value;
  throw new SidecarError("USAGE", `${command} needs --${flag} URL, such as sqlite:/path/to/sessions.db`);
}

async function withStores<T>(
  { fromUrl, toUrl, flags, config }: Copy,
  use: (from: Store, to: Store) => Promise<T>,
): Promise<T> {
  const from = await openWhole(fromUrl, config, "it is");
  try {
    const to = await openWhole(toUrl, config, flags["plain"] === true ? "it is" : undefined);
    try {
      return await use(from, to);
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}
