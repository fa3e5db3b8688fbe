/** `http`: sessions for browsers and programs, until Ctrl-C. */
import { isSessionId } from "../base/ids.ts";
import { startBackground, type Background } from "../background.ts";
import { createLogger, type Logger } from "../base/log.ts";
import { noMeter } from "../base/meter.ts";
import { Outlet } from "../base/outlet.ts";
import { openAudit } from "../audit/open.ts";
import { cacheFolderOf, surroundings } from "../config/paths.ts";
import type { Config } from "../config/config.ts";
import { redactStoreUrl } from "../base/redact.ts";
import { openLocal, type Local, type Subject } from "../local/serving.ts";
import { storeDetailsOf } from "../local/store-details.ts";
import { Together } from "../local/together.ts";
import { defaultListen, listenFrom } from "../http/listen.ts";
import { startHttp, type HttpParts, type HttpServer } from "../http/server.ts";
import type { Serve } from "../http/prompting/serve-guest.ts";
import type { SessionNews } from "../session/events.ts";
import { SessionRegistry } from "../session/registry.ts";
import { guardedAs } from "../store/guarded/open.ts";
import { measuredStore } from "../store/measured.ts";
import { openStoreWith } from "../store/open-encrypted.ts";
import { withBrowser } from "./browser.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";
import { placeOf } from "./defect-place.ts";
import { print } from "./print.ts";
import { countFrom } from "./sessions.ts";

const stopSignals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
const defaultPerSecond = 2000;
/** A browser's token ends with the process, and after so long in any case. */
const tokenMs = 24 * 3_600_000;
/** What is being told, or looked after, when the server ends. */
const backgroundGraceMs = 1000;

export async function serveHttp(invocation: Invocation, io: Io): Promise<number> {
  const listen = listenFrom(String(invocation.flags["listen"] ?? defaultListen));
  const perSecond = countFrom("rate", invocation.flags["rate"], defaultPerSecond);
  const { config } = await configOf(invocation, io);
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  // What one request breaks is no reason to end everybody's.
  const onUnhandled = (error: unknown) => io.errors.write(`acp-sidecar: unhandled: ${placeOf(error)}\n`);
  for (const signal of stopSignals) process.on(signal, onSignal);
  process.on("unhandledRejection", onUnhandled);
  const together = new Together();
  const opened = await openStoreWith(config.store, config);
  const store = config.endpoint === "off" ? opened : measuredStore(opened, together.meter);
  const log = logFor(config, io);
  const audit = openAudit(config, { via: "http", env: io.env, log });
  try {
    const local = await localFor(config, { together, store, log, stop, env: io.env });
    try {
      const parts = { store, config, audit, log, listen, perSecond, together, own: local?.own };
      await withServer(parts, io, (server, registry) =>
        serving({ server, registry }, invocation, io, stop.signal),
      );
    } finally {
      // Last of all: what ends with the server counts, too.
      await local?.close();
    }
    return 0;
  } finally {
    await Promise.all([store.close(), audit.close()]);
    log.close();
    process.off("unhandledRejection", onUnhandled);
    for (const signal of stopSignals) process.off(signal, onSignal);
  }
}

interface Parts extends Pick<HttpParts, "store" | "audit" | "log" | "listen" | "perSecond" | "own"> {
  readonly config: Config;
  readonly together: Together;
}

/** What others on this machine may ask: it answers for all whom it serves. */
async function localFor(
  config: Config,
  {
    together,
    store,
    log,
    stop,
    env,
  }: Pick<Parts, "together" | "store" | "log"> & Pick<Io, "env"> & { stop: AbortController },
): Promise<Local | undefined> {
  if (config.endpoint === "off") {
    together.meter.tell(noMeter);
    return undefined;
  }
  const subject: Subject = {
    kind: "http",
    agent: config.agent?.command ?? "none",
    store: redactStoreUrl(config.store),
    meter: together.meter,
    log,
    facts: () => together.facts(),
    endSession: (id) => together.end(id),
    endProcess: async () => {
      await together.tellOfEnd();
      stop.abort();
    },
    ...storeDetailsOf(store),
  };
  return openLocal(subject, { env });
}

/** Whatever it begins has ended on return. */
async function withServer(
  parts: Parts,
  { env, errors }: Io,
  use: (server: HttpServer, registry: SessionRegistry) => Promise<void>,
): Promise<void> {
  const { store, config, audit, log, together } = parts;
  const cacheFolder = cacheFolderOf(surroundings(env));
  const serve = config.agent === undefined ? undefined : serveWith(config, errors, together);
  const registry = new SessionRegistry({ ...config, store: guardedAs(store, config), audit, log });
  const background = backgroundOf(registry, { store, config, log, env, together });
  const { follow } = background;
  try {
    const server = await startHttp({
      ...parts,
      url: config.store,
      ...{ cacheFolder, env, serve, follow },
      meter: together.meter,
      isProcessOurs: true,
    });
    try {
      await use(server, registry);
    } finally {
      await server.close();
    }
  } finally {
    await registry.close();
    await background.close(backgroundGraceMs);
  }
}

function logFor({ logLevel: level, logFile: file }: Config, io: Io): Logger {
  const target = new Outlet(io.errors);
  return createLogger({
    level,
    target,
    readable: target.isTerminal,
    ...(file !== undefined && { file }),
  });
}

/** Whoever is configured is told what guests do, and the store is looked after. */
function backgroundOf(
  registry: SessionRegistry,
  {
    store,
    config,
    log,
    env,
    together,
  }: Pick<Io, "env"> & Pick<Parts, "store" | "config" | "log" | "together">,
): Background {
  // Guests' turns run in sidecars of their own.
  const isBusy = () => together.facts().sessions.some(({ turnSinceMs }) => turnSinceMs !== undefined);
  const lookedAfter = { store: guardedAs(store, config), url: config.store, isBusy };
  return startBackground(config, { registry, lookedAfter, log, meter: together.meter, env });
}

/** A guest's own sidecar, as whoever they are: what we ourselves may do here is none of theirs. */
function serveWith(
  { identity: _, token: __, admins: ___, store: storeUrl, ...config }: Config,
  errors: Io["errors"],
  together: Together,
): Serve {
  return ({ store, audit, onWritten }) =>
    async ({ input, output }, signal) => {
      const { runSidecar } = await import("../sidecar.ts");
      const follow = (news: SessionNews) => {
        if ("id" in news && isSessionId(news.id)) onWritten(news.id);
      };
      const front = "request" as const;
      const streams = { input, output, errors, audit, follow, together, front, storeUrl };
      await runSidecar({ ...config, store, endpoint: "off" }, streams, signal);
    };
}

interface Serving {
  readonly server: HttpServer;
  readonly registry: SessionRegistry;
}

async function serving(
  { server, registry }: Serving,
  invocation: Invocation,
  io: Io,
  stop: AbortSignal,
): Promise<void> {
  await print(io, `Listening on ${server.url}\n`);
  if (invocation.flags["open"] === undefined) return untilAborted(stop);
  const { token, secret } = await registry.sharing.tokens.create({
    name: "browser",
    scope: "admin",
    untilMs: Date.now() + tokenMs,
  });
  try {
    await withBrowser({ url: server.url, secret }, io, () => untilAborted(stop));
  } finally {
    await registry.sharing.tokens.revoke(token.id);
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
