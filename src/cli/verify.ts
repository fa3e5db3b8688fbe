/** `verify`: reads everything that is stored and names what is damaged. */
import { isSidecarError, reasonOf } from "../base/errors.ts";
import { nothingVerified, verifySessions, type Verification } from "../care/verify.ts";
import type { SignedHeads } from "../care/signed-heads.ts";
import type { Watch } from "../care/watch.ts";
import type { Config } from "../config/config.ts";
import { openStoreWith } from "../store/open-encrypted.ts";
import type { Damage, Repair } from "../care/damage.ts";
import { mendSealed } from "../care/keys.ts";
import { inspectStore, isRepairable, repairStore } from "../care/maintenance.ts";
import { withAudit } from "./audited.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";
import { printDamages } from "./damage-text.ts";
import { integrityText } from "./integrity-text.ts";
import { interruptible } from "./interrupt.ts";
import { countText, oneLine, print, printJson } from "./print.ts";
import { Progress } from "./progress.ts";
import { urlToRead } from "./sessions.ts";
import { printCompleteness, signedHeads, statusOf } from "./signed-heads.ts";
import { verifySession } from "./verify-session.ts";

/** Status 5 when there is damage that was not repaired, or somebody has changed what was written. */
export async function verify(invocation: Invocation, io: Io): Promise<number> {
  const { session } = invocation.flags;
  if (typeof session === "string") return verifySession(invocation, io, session);
  const loaded = await configOf(invocation, io);
  const url = urlToRead(loaded);
  // On a fresh machine there is nothing to repair either.
  const repairs = invocation.flags["repair"] === true && url === loaded.config.store;
  const progress = new Progress(invocation, io, "verify");
  if (repairs) progress.stage("repairing");
  const repaired = repairs ? await repair(url, loaded.config, io) : undefined;
  progress.end();
  if (repaired !== undefined && !invocation.flags["json"]) await tell(repaired, io);
  const found = await examine(
    { ...loaded.config, store: url },
    progress,
    await signedHeads(loaded.config, io),
  );
  const status = statusOf(found);
  if (invocation.flags["json"]) {
    await printJson(io, repaired === undefined ? found : { ...found, repaired });
    return status;
  }
  const { sessions, trashed, entries, damages, integrity } = found;
  const ofThese = trashed === 0 ? "" : ` (${trashed} in the trash)`;
  const read = `${countText(sessions, "session")}${ofThese}, ${countText(entries, "entry", "entries")} read`;
  await print(io, `${read}: ${countText(damages.length, "damaged place")}\n`);
  await printDamages(damages, io);
  await print(io, integrityText(integrity));
  await printDamages(integrity.changed, io);
  await printCompleteness(found.completeness, io);
  if (damages.length > 0 && (isRepairable(url) || loaded.config.encryptionKey !== undefined))
    await print(io, "acp-sidecar verify --repair keeps all that is sound\n");
  return status;
}

function repair(url: string, config: Config, io: Io): Promise<Repair> {
  const ended = (found: Repair) => ({ facts: { damages: found.damage.length } });
  return withAudit(config, io, (audit) =>
    audit.around({ what: "store.repair" }, () => repairAll(url, config), ended),
  );
}

/** What the medium has lost, and then what cannot be decrypted, of which a server knows nothing. */
async function repairAll(url: string, config: Config): Promise<Repair> {
  const isSealedOnly = config.encryptionKey !== undefined && !isRepairable(url);
  const below = isSealedOnly ? { entries: 0, damage: [], setAside: [] } : await repairStore(url);
  const mended = (await mendSealed(url, config)).map(({ id: sessionId, fields }) => ({
    sessionId,
    problem: `was changed by other hands and is lost: ${fields.join(", ")}; all else is kept`,
  }));
  return { ...below, damage: [...below.damage, ...mended] };
}

/** What a read through the contract meets, and what lies below it; each place once. */
async function examine(
  config: Config,
  progress: Progress,
  heads: SignedHeads | undefined,
): Promise<Verification> {
  try {
    progress.stage("reading", "sessions");
    const met = await interruptible(
      () => "nothing was changed; run it again to read all",
      (signal) => readAll(config, progress.watch(signal), heads),
    );
    // Ctrl-C ends that at once, as it would without us: the engine hears nothing while it looks.
    progress.stage("looking at the files themselves");
    return together(met, await inspectStore(config.store));
  } finally {
    progress.end();
  }
}

function together(met: Verification, below: readonly Damage[]): Verification {
  const named = new Set(below.map(({ sessionId }) => sessionId));
  // A medium that can be looked at tells more of the same damage than a read that failed on it.
  const others = met.damages.filter(({ sessionId }) =>
    sessionId === undefined ? below.length === 0 : !named.has(sessionId),
  );
  return { ...met, damages: [...below, ...others] };
}

/** A store that is too damaged to be opened has damage of its own, and nothing else can be read of it. */
async function readAll(config: Config, watch: Watch, heads: SignedHeads | undefined): Promise<Verification> {
  try {
    const store = await openStoreWith(config.store, config);
    try {
      return await verifySessions(store, {}, watch, heads);
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!isSidecarError(error, "STORE_CORRUPT", "DECRYPT_FAILED")) throw error;
    return { ...nothingVerified, damages: [{ problem: reasonOf(error) }] };
  }
}

/** Never silently: what was lost and what was set aside is named. */
async function tell({ entries, damage, setAside }: Repair, io: Io): Promise<void> {
  const sessions = new Set(damage.flatMap(({ sessionId }) => sessionId ?? [])).size;
  const kept = entries === 0 ? "" : `${countText(entries, "sound entry", "sound entries")} kept; `;
  await print(io, `${kept}${countText(sessions, "damaged session")} repaired\n`);
  await printDamages(damage, io);
  for (const folder of setAside) await print(io, `  as it was found: ${oneLine(folder)}\n`);
}
