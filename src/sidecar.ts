/** The composition root: configuration in, a running sidecar out. */
import type { Readable, Writable } from "node:stream";
import type { Launched } from "./agent/launch.ts";
import { reapLeftOvers } from "./agent/left-over.ts";
import { openAgent } from "./agent/open.ts";
import { stopGroup } from "./agent/process-group.ts";
import type { Audit } from "./audit/audit.ts";
import { factsOf } from "./audit/in-force.ts";
import { openAudit } from "./audit/open.ts";
import { startBackground, type BackgroundParts } from "./background.ts";
import type { Config } from "./config/config.ts";
import { agentOf } from "./config/agent-command.ts";
import { defaults } from "./config/options.ts";
import { cacheFolderOf, defaultStoreUrl, surroundings } from "./config/paths.ts";
import { checkSaid } from "./config/said.ts";
import { SidecarError } from "./base/errors.ts";
import { createLogger, type Logger } from "./base/log.ts";
import { Meter } from "./base/meter.ts";
import { Outlet } from "./base/outlet.ts";
import { redactStoreUrl } from "./base/redact.ts";
import { Secrets } from "./base/secrets.ts";
import { isSecretName } from "./base/secret-values.ts";
import { LateLocal, type LateParts } from "./local/late.ts";
import type { Together } from "./local/together.ts";
import { Relay, type RelayParts } from "./relay/relay.ts";
import type { Follower } from "./session/events.ts";
import { SessionRegistry } from "./session/registry.ts";
import type { Front } from "./session/ways-out.ts";
import { given } from "./store/arguments.ts";
import { deferStore } from "./store/deferred.ts";
import { guardOf } from "./store/guarded/guard.ts";
import { guardedAs } from "./store/guarded/open.ts";
import type { StoreDriver } from "./store/driver.ts";
import { measuring } from "./store/measured.ts";
import { openStoreWith } from "./store/open-encrypted.ts";
import type { Store } from "./store/contract.ts";
import { layersOf, splitStoreUrl } from "./base/store-url.ts";
import { version } from "./base/version.ts";

/** A configuration; what it does not say has its default. A store that is given is closed by who opened it. */
export type SidecarConfig = Partial<Omit<Config, "store">> & { readonly store?: string | Store };

export interface SidecarIo {
  readonly input: Readable;
  readonly output: Writable;
  /** Where the log goes, if it goes to no file, and what the agent says on its stderr. */
  readonly errors?: Writable;
  /** Told of all that is written to sessions, as by `SessionRegistry.follow`; the last of it may come after the end. */
  readonly follow?: Follower;
  /** In the place of the log that the configuration asks for: of somebody else, who closes it. */
  readonly audit?: Audit;
  /** In the place of an endpoint of its own: of a process that serves several clients. */
  readonly together?: Pick<Together, "meter" | "add">;
  /** See `RelayOptions`. */
  readonly front?: Front;
  /** Of a store that is lent: by it other processes know what one that was killed had to tell. */
  readonly storeUrl?: string;
}

/** How long an agent may take to end by itself, and then after SIGTERM. */
const agentStopGraceMs = 700;
/** How long it may take nothing of what waits for it while the client cannot be read for that. */
const agentDeafMs = 30_000;
/** How long what runs in the background may take when all else has ended; the next process goes on with it. */
const backgroundGraceMs = 1000;

/**
 * Serves one client until it has sent its last message or `signal` is aborted, then ends everything that
 * it started. Returns when nothing of it is left. Failures reach the client as errors of its requests.
 * @param launched the agent's first process, when it has been started already
 */
export async function runSidecar(
  wanted: SidecarConfig,
  io: SidecarIo,
  signal?: AbortSignal,
  launched?: Promise<Launched>,
): Promise<void> {
  given.streams(io);
  const { store: where = defaultStoreUrl(surroundings()), ...said } = given.config(wanted);
  checkSaid(said, "config");
  const config = { ...defaults, ...said };
  const errors = io.errors && new Outlet(io.errors);
  const secrets = secretsOf(where, config);
  const log = await logFor(config, errors, secrets, launched);
  const meter = io.together?.meter ?? (config.endpoint === "on" ? new Meter() : undefined);
  const { store, begin } = storeFor(where, config, log, isCounted(where, io) ? undefined : meter);
  const audit = io.audit ?? openAudit(config, { via: "acp", secrets, log });
  const registry = new SessionRegistry({ ...config, store, log, audit });
  audit.note({ what: "config", facts: factsOf(config, urlOf(where)) });
  if (io.follow !== undefined) registry.follow(io.follow);
  const background = startBackground(config, { registry, log, meter, secrets, ...placeOf(where, store, io) });
  const parts = { log, errors, secrets, launched, meter, front: io.front };
  const relay = new Relay(partsOfRelay(config, registry, parts), { ...io, ...messageLimit(config), log });
  const local = localOf(relay, io, { ...config, store, place: redactStoreUrl(urlOf(where)), meter, log });
  log.info({ version, store: store.name, agent: config.agent?.command ?? "echo" }, "acp-sidecar started");
  registry.startSweeper();
  // The agent's process has been started and takes its time: ours is free for the first session's store.
  setImmediate(begin);
  void reapLeftOvers(log, agentStopGraceMs);
  await Promise.race([relay.clientEnded, aborted(signal), ...(local ? [local.toldToEnd] : [])]);
  log.info({}, "acp-sidecar is stopping");
  try {
    await relay.close();
    await registry.close();
    await background.close(backgroundGraceMs);
  } finally {
    await Promise.all([io.audit === undefined && audit.close(), local?.close()]);
    // One that is lent stays open.
    if (typeof where === "string") await store.close();
    log.close();
  }
}

/** What others on this machine ask us by, if they may. */
function localOf(
  { outside }: Relay,
  { together }: SidecarIo,
  { meter, ...parts }: Omit<LateParts, "meter"> & { readonly meter: Meter | undefined },
): Pick<LateLocal, "close" | "toldToEnd"> | undefined {
  if (together !== undefined) return together.add(outside);
  return meter && new LateLocal(outside, { ...parts, meter });
}

/** What we were given that may be in no log. */
function secretsOf(
  where: string | Store,
  { agent, hooks, alerts }: Pick<Config, "agent" | "hooks" | "alerts">,
): Secrets {
  const secrets = new Secrets();
  const stores = typeof where === "string" ? (layersOf(where) ?? [where]) : [];
  secrets.learn({ stores, agent, hooks, alerts, env: secretVariables(process.env) });
  return secrets;
}

/** What is done to a store that a process lends to several is counted by that process. */
function isCounted(where: string | Store, { together }: SidecarIo): boolean {
  return typeof where !== "string" && together !== undefined;
}

/** A store that is lent is looked after by who opened it. */
function placeOf(
  where: string | Store,
  store: Store,
  { storeUrl: url }: SidecarIo,
): Pick<BackgroundParts, "lookedAfter" | "place"> {
  if (typeof where === "string") return { lookedAfter: { store, url: where } };
  return url === undefined ? {} : { place: { store, url } };
}

interface Shared {
  readonly log: Logger;
  readonly errors: Outlet | undefined;
  readonly secrets: Secrets;
  readonly launched: Promise<Launched> | undefined;
  readonly meter: Meter | undefined;
  readonly front: Front | undefined;
}

function partsOfRelay(config: Omit<Config, "store">, registry: SessionRegistry, shared: Shared): RelayParts {
  const { log, secrets, meter, front = "editor" } = shared;
  const agent = agentOf(config);
  const { agentRestart, contextSnapshots, encryptionKey } = config;
  // What lies in the cache folder is plain.
  const warmsFolders = contextSnapshots === "on" && encryptionKey === undefined;
  const cacheFolder = cacheFolderOf(surroundings());
  return {
    options: { ...config, front, deafMs: agentDeafMs, cacheFolder, warmsFolders },
    registry,
    agentCommand: agent?.command,
    startAgent: openAgent(agent, { ...messageLimit(config), ...shared, stopGraceMs: agentStopGraceMs }),
    agentRestart,
    log,
    secrets,
    ...(meter && { meter }),
  };
}

function messageLimit({ maxMessageBytes }: Pick<Config, "maxMessageBytes">): Pick<Config, "maxMessageBytes"> {
  return { maxMessageBytes };
}

/** Errors: `CONFIG_INVALID`; then the agent is stopped, because nobody else knows of it yet. */
async function logFor(
  { logLevel: level, logFile: file }: Pick<Config, "logLevel" | "logFile">,
  target: Outlet | undefined,
  secrets: Secrets,
  launched: Promise<Launched> | undefined,
): Promise<Logger> {
  try {
    const readable = target?.isTerminal === true;
    return createLogger({
      level,
      secrets,
      readable,
      ...(file !== undefined && { file }),
      ...(target && { target }),
    });
  } catch (error) {
    const first = await launched?.catch(() => undefined);
    await stopGroup(first?.child.pid, agentStopGraceMs);
    throw error;
  }
}

/** The configured store behind its guard, opened by the first call, or by `begin` ahead of it. */
function storeFor(
  where: string | Store,
  config: Omit<Config, "store">,
  log: Logger,
  meter: Meter | undefined,
) {
  // The guard stands before all, so that it is one, whoever has opened the store.
  const lent = typeof where === "string" ? undefined : guardOf(where);
  const open = () => openFor(lent?.inner ?? where, config, log);
  const around = meter && ((driver: StoreDriver) => measuring(driver, meter));
  const deferred = deferStore(nameOf(where), open, around);
  return { store: guardedAs(deferred, config, lent), begin: () => deferred.begin() };
}

/** The store, if it can promise what is asked of it. Errors: `STORE_…`, `CONFIG_INVALID`. */
async function openFor(
  where: string | Store,
  { durability, ...encryption }: Pick<Config, "durability" | "encryptionKey" | "previousKeys">,
  log: Logger,
): Promise<Store> {
  const store = typeof where === "string" ? await openStoreWith(where, encryption) : where;
  if (store.recovered !== undefined)
    log.info({ store: store.name, found: store.recovered }, "store recovered");
  if (durability !== "full" || store.capabilities.survivesPowerLoss) return store;
  if (typeof where === "string") await store.close();
  throw new SidecarError(
    "STORE_UNSUPPORTED",
    `The ${store.name} store cannot promise that anything survives a power cut: use --durability turn or another store`,
  );
}

/** What the agent inherits from us and might quote: keys of model providers stand there. */
function secretVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => isSecretName(name)));
}

function urlOf(where: string | Store): string {
  return typeof where === "string" ? where : where.name;
}

function nameOf(where: string | Store): string {
  return typeof where === "string" ? (splitStoreUrl(where)?.scheme ?? where) : where.name;
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    else signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}
