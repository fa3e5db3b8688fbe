/** What is done in a round, in this order. Each step may be killed at any time: the next round does the rest. */
import fs from "node:fs/promises";
import { isSidecarError } from "../base/errors.ts";
import { sizeText } from "../base/size-text.ts";
import type { SessionId } from "../base/ids.ts";
import { redactStoreUrl } from "../base/redact.ts";
import { giveBackSpace, placeOfStore } from "../care/maintenance.ts";
import { defaults } from "../config/options.ts";
import { Searcher } from "../history/search/search.ts";
import { isHeld } from "../session/holder.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import { backUp, backupAgeMs } from "./backups.ts";
import type { Known } from "./lease.ts";
import { rotateLog } from "./logs.ts";
import type { RoundParts } from "./parts.ts";

export interface StepParts extends RoundParts {
  readonly known: Known;
}

interface StepResult {
  readonly words: string;
  /** What the next round is to know. */
  readonly learned?: Partial<Known>;
}

interface Step {
  readonly name: string;
  /** Rejects where it fails, or with what `pace` rejects. */
  readonly run: (parts: StepParts) => Promise<StepResult>;
}

export const steps: readonly Step[] = [
  { name: "expire", run: expire },
  { name: "archive", run: archive },
  { name: "space", run: space },
  { name: "search index", run: index },
  { name: "logs", run: logs },
  { name: "backup", run: backup },
  { name: "growth", run: sample },
];

const nothing = "nothing to do";

/** What is too old goes into the trash, and what was there for long enough is deleted. */
async function expire({ registry, config, pace }: StepParts): Promise<StepResult> {
  const { retentionMs, trashMs } = config;
  const expired = retentionMs === undefined ? 0 : await registry.expire({ idleForMs: retentionMs }, pace);
  // Where nothing more goes into the trash, what is there already has its time.
  const keptMs = trashMs || defaults.trashMs;
  const deleted = await registry.trash.empty({ forMs: keptMs }, pace);
  const forgotten = await registry.originals.empty(keptMs, pace);
  return {
    words: wordsOf([
      [expired, "expired"],
      [deleted, "deleted from the trash"],
      [forgotten, "compactions can no longer be undone"],
    ]),
  };
}

/** Failures of so many are remembered. */
const mostUnpacked = 50;

/** What nobody uses any more is archived, and packed; what could not be packed then is tried again. */
async function archive(parts: StepParts): Promise<StepResult> {
  const { registry, config, known, pace } = parts;
  const unpacked: SessionId[] = [];
  let archived = 0;
  const put = async (id: SessionId) => {
    await pace();
    const found = await archiveOne(parts, id);
    if (found === "archived") archived += 1;
    if (found === "unpacked") unpacked.push(id);
  };
  for (const id of known.unpacked) await put(id);
  if (config.archiveAfterMs !== undefined) {
    const updatedBeforeMs = Date.now() - config.archiveAfterMs;
    let cursor: string | undefined;
    do {
      const page = await registry.list({
        updatedBeforeMs,
        limit: 100,
        ...(cursor !== undefined && { cursor }),
      });
      for (const record of page.items) if (isUnused(parts, record)) await put(record.id);
      cursor = page.nextCursor;
    } while (cursor !== undefined && unpacked.length < mostUnpacked);
  }
  return { words: wordsOf([[archived, "archived"]]), learned: { unpacked: unpacked.slice(0, mostUnpacked) } };
}

function isUnused({ registry }: StepParts, { id, lease }: SessionRecord): boolean {
  return !registry.live.has(id) && !isHeld(lease);
}

async function archiveOne(
  { registry, log }: StepParts,
  id: SessionId,
): Promise<"archived" | "left" | "unpacked"> {
  try {
    await registry.archive(id);
    return "archived";
  } catch (error) {
    // In use again, gone, or lent to us.
    if (isSidecarError(error, "SESSION_BUSY", "SESSION_NOT_FOUND", "LEASE_LOST", "FORBIDDEN")) return "left";
    if (!isSidecarError(error)) throw error;
    log.warn({ sessionId: id, code: error.code }, "upkeep: a session could not be archived");
    return "unpacked";
  }
}

/** Room that deletions left goes back to the disk, and the log of a database gets short. */
async function space({ config, mostAtOnce }: StepParts): Promise<StepResult> {
  const file = placeOfStore(config.store);
  const size = async () => (file === undefined ? 0 : (await bytesOf(file)) + (await bytesOf(`${file}-wal`)));
  const before = await size();
  await giveBackSpace(config.store, mostAtOnce === undefined ? {} : { mostAtOnce });
  const freed = before - (await size());
  return { words: freed > 0 ? `${sizeText(freed)} given back` : nothing };
}

async function bytesOf(file: string): Promise<number> {
  try {
    return (await fs.stat(file)).size;
  } catch {
    return 0;
  }
}

/** Between two steps of it others have their turn: some 40 ms of five times as many. */
const indexRestMs = 160;

/** Only one that is there: in one that nobody searches stands nothing. */
async function index({ registry, cacheFolder, signal }: StepParts): Promise<StepResult> {
  const searcher = new Searcher(registry, { cacheFolder });
  try {
    if ((await searcher.state()) === undefined) return { words: "none: nobody has searched" };
    await searcher.catchUpIdly(signal, indexRestMs);
    return { words: "up to date" };
  } finally {
    await searcher.close();
  }
}

/** The audit log looks after itself, whenever something is recorded. */
async function logs({ config: { logFile } }: StepParts): Promise<StepResult> {
  const aside = logFile === undefined ? 0 : await rotateLog(logFile);
  return { words: aside > 0 ? `${aside} bytes put aside` : nothing };
}

async function backup({ config, registry, signal, onProgress, withBackup }: StepParts): Promise<StepResult> {
  const { backup: plan } = config;
  if (plan === undefined) return { words: "none is configured" };
  const ageMs = await backupAgeMs(plan);
  if (withBackup !== true && ageMs !== undefined && ageMs < plan.everyMs) return { words: "not due" };
  const watch = { signal, ...(onProgress && { onProgress }) };
  const deed = { what: "store.backup", facts: { to: redactStoreUrl(plan.to) } } as const;
  const make = () => backUp(config, plan, watch);
  const { place, sessions, removed } = await registry.audit.around(deed, make);
  const gone = removed > 0 ? `, ${removed} older removed` : "";
  const copied = `${sessions} ${sessions === 1 ? "session" : "sessions"} copied`;
  return { words: `${copied} to ${place}${gone}` };
}

const dayMs = 86_400_000;
const mostSamples = 60;

/** How much there is, once a day: by that is told how it grows. */
async function sample({ store, known: { samples } }: StepParts): Promise<StepResult> {
  const last = samples.at(-1);
  if (last !== undefined && Date.now() - last.atMs < dayMs) return { words: "measured today" };
  const { sessions, entries, bytes } = await store.stats();
  const next = [...samples, { atMs: Date.now(), sessions, entries, bytes }].slice(-mostSamples);
  return { words: "measured", learned: { samples: next } };
}

function wordsOf(counts: readonly (readonly [number, string])[]): string {
  const said = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return said.length === 0 ? nothing : said.join(", ");
}
