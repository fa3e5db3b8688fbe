/** Whether the configured store works: opened, written to, made safe. */
import { isSidecarError, reasonOf, type ErrorCode } from "../base/errors.ts";
import { redactStoreUrl } from "../base/redact.ts";
import { newSessionId } from "../base/ids.ts";
import { verifySessions } from "../care/verify.ts";
import type { Config } from "../config/config.ts";
import { openGuarded } from "../store/guarded/open.ts";
import { emptyPlaceOf, isRepairable } from "../care/maintenance.ts";
import type { NewSession, Store } from "../store/contract.ts";
import type { Problem } from "./doctor-agent.ts";
import { countText, sizeText } from "./print.ts";

export interface StoreTrial {
  readonly facts: Readonly<Record<string, string>>;
  readonly problem?: Problem;
}

/** Never rejects: what fails is the trial's problem. `cwd` is a folder that no session of a user is in. */
export async function tryStore(config: Config, cwd: string): Promise<StoreTrial> {
  const { store: url } = config;
  const facts: Record<string, string> = { url: redactStoreUrl(url) };
  let store: Store | undefined;
  try {
    // It is written to below: a place that was mistyped is made a store, and that is told.
    const isNew = emptyPlaceOf(url) !== undefined;
    store = await openGuarded(url, config);
    facts.opens = isNew ? "yes, made now: nothing was there" : "yes";
    facts.encrypted = config.encryptionKey === undefined || !store.capabilities.persistent ? "no" : "yes";
    facts["survives the process"] = store.capabilities.persistent ? "yes" : "no";
    facts["survives a power cut"] = store.capabilities.survivesPowerLoss ? "yes" : "no";
    facts["shared by processes"] = store.capabilities.shared ? "yes" : "no";
    const damage = await quickLook(store, facts, url);
    if (damage !== undefined) return { facts, problem: damage };
    facts.writable = `yes, safe after ${(await writeAndForget(store, cwd)).toFixed(1)} ms`;
    const { sessions, entries, bytes, details } = await store.stats();
    facts.holds = `${countText(sessions, "session")}, ${countText(entries, "entry", "entries")}, ${sizeText(bytes)}`;
    if (details?.["engine"] !== undefined) facts.engine = String(details["engine"]);
    return { facts };
  } catch (error) {
    return { facts, problem: { what: `The store: ${reasonOf(error)}`, fix: fixFor(error) } };
  } finally {
    await store?.close();
  }
}

/** The newest sessions at most, for so long at most: a big store is not read through. */
const quick = { sessions: 100, forMs: 2000 };

/** Nothing is written to a store that is found damaged. */
async function quickLook(
  store: Store,
  facts: Record<string, string>,
  url: string,
): Promise<Problem | undefined> {
  const { sessions, entries, damages } = await verifySessions(store, quick);
  const [first] = damages;
  facts.sound =
    first === undefined
      ? `${countText(sessions, "newest session")} read, ${countText(entries, "entry", "entries")}`
      : "no";
  if (first === undefined) return undefined;
  const { sessionId, entries: damaged, problem } = first;
  const where = [sessionId && `session ${sessionId}`, damaged && `entry ${damaged.from}`].filter(Boolean);
  const more = damages.length === 1 ? "" : ` (and ${damages.length - 1} more places)`;
  return {
    what: `The store is damaged: ${[...where, problem].join(", ")}${more}`,
    fix: isRepairable(url)
      ? repairIt
      : "acp-sidecar verify names all that is damaged; restore it from a backup",
  };
}

const repairIt = "see what is damaged with acp-sidecar verify, then run acp-sidecar verify --repair";

/** Milliseconds that a session took to be written and made safe; it is deleted again. */
async function writeAndForget(store: Store, cwd: string): Promise<number> {
  const atMs = Date.now();
  const session: NewSession = {
    id: newSessionId(),
    createdAtMs: atMs,
    updatedAtMs: atMs,
    cwd,
    title: "acp-sidecar doctor",
    additionalDirectories: [],
    mcpServerNames: [],
    agentSessionIds: [],
    settings: {},
    metadata: {},
  };
  const beganMs = performance.now();
  try {
    await store.create(session);
    await store.flush();
    return performance.now() - beganMs;
  } finally {
    await store.delete(session.id);
  }
}

const fixes: Partial<Record<ErrorCode, string>> = {
  CONFIG_INVALID: "correct --store, or leave it out for the default",
  STORE_UNAVAILABLE:
    "check that the folder or server is there and may be used by you, or name another --store",
  STORE_LOCKED: "end the other program that holds the store, then try again",
  STORE_FULL:
    "make room on the disk, or delete old sessions: acp-sidecar sessions gc --older-than 30d, then acp-sidecar sessions gc --trash",
  STORE_READONLY: "make the file and its folder writable for you, or name another --store",
  STORE_CORRUPT: `${repairIt}; if it is no database of ours, name another --store`,
  STORE_SCHEMA_NEWER: "update acp-sidecar, or name another --store",
};

function fixFor(error: unknown): string {
  if (isSidecarError(error) && error.data["missing"] !== undefined)
    return "do one of these; README.md tells more where it says how to install";
  const fix = isSidecarError(error) ? fixes[error.code] : undefined;
  return fix ?? "name another --store, and report this with the message above";
}
