/** The store, tried out: opened, and asked what the checks of health ask. */
import { reasonOf } from "../base/errors.ts";
import { redactStoreUrl } from "../base/redact.ts";
import { sizeText } from "../base/size-text.ts";
import { emptyPlaceOf } from "../care/maintenance.ts";
import type { Config } from "../config/config.ts";
import { cacheFolderOf, surroundings } from "../config/paths.ts";
import { fixFor } from "../health/fixes.ts";
import { health, type Checked } from "../health/health.ts";
import { countVisible } from "../session/hidden.ts";
import type { Store } from "../store/contract.ts";
import { openGuarded } from "../store/guarded/open.ts";
import type { Io } from "./command.ts";
import type { Problem } from "./doctor-agent.ts";
import { countText } from "./print.ts";

export interface StoreTrial {
  readonly facts: Readonly<Record<string, string>>;
  readonly checks: readonly Checked[];
  /** The first one is why the store cannot be used, if it cannot. */
  readonly problems: readonly Problem[];
}

/** A person waits longer than a probe. */
const withinMs = 10_000;

/** Never rejects: what fails is one of the trial's problems. */
export async function tryStore(config: Config, { env }: Pick<Io, "env">): Promise<StoreTrial> {
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
    const cacheFolder = cacheFolderOf(surroundings(env));
    const { checks } = await health(store, config, { withinMs, cacheFolder, env });
    for (const { name, words } of checks) facts[name] = words;
    const problems = checks.filter(({ ok }) => !ok).map(problemOf);
    if (problems.length === 0) await count(store, facts);
    return { facts, checks, problems };
  } catch (error) {
    return { facts, checks: [], problems: [{ what: `The store: ${reasonOf(error)}`, fix: fixFor(error) }] };
  } finally {
    await store?.close();
  }
}

/** Of sessions as `sessions stats` counts them: without what is kept beside them, or is in the trash. */
async function count(store: Store, facts: Record<string, string>): Promise<void> {
  const [sessions, { entries, bytes, details }] = await Promise.all([countVisible(store, {}), store.stats()]);
  facts.holds = `${countText(sessions, "session")}, ${countText(entries, "entry", "entries")}, ${sizeText(bytes)}`;
  if (details?.["engine"] !== undefined) facts.engine = String(details["engine"]);
}

function problemOf({ name, words, what, fix }: Checked): Problem {
  const subject = name.charAt(0).toUpperCase() + name.slice(1);
  return {
    what: what ?? `${name === "store" ? "The store" : subject}: ${words}`,
    fix: fix ?? "try again; if it stays so, report it with the message above",
  };
}
