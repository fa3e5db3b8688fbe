/** The server: its bounds, its beginning and its end. Whatever was opened for requests is closed with it. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { isRecord } from "../base/json.ts";
import { Interval } from "../base/interval.ts";
import { noMeter, type Counting } from "../base/meter.ts";
import { sweepScratch } from "../base/scratch.ts";
import { waitAtMost } from "../base/time.ts";
import type { OwnEndpoint } from "../local/machine.ts";
import { appOf } from "./app.ts";
import { Feeds } from "./events/feeds.ts";
import type { GuestParts } from "./guest.ts";
import { Guests } from "./guests.ts";
import { Gate } from "./host-and-origin.ts";
import { Idempotency } from "./idempotency.ts";
import { addressOf, listening, type Listen } from "./listen.ts";
import { Probes } from "./probes.ts";
import { Attachments } from "./prompting/attachments.ts";
import type { Serve } from "./prompting/serve-guest.ts";
import { problemAnswer, Refusal } from "./problems.ts";
import { Pages } from "./rendered.ts";

export interface HttpParts extends GuestParts {
  readonly listen: Listen;
  /** Of the store. */
  readonly url: string;
  readonly cacheFolder: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told of requests. */
  readonly meter?: Counting;
  /** Requests and answers of a lighter kind stand in the place of Node's own, for all of this process. */
  readonly isProcessOurs?: boolean;
  /** What this process would say of itself to others of its machine. */
  readonly own?: OwnEndpoint | undefined;
  /** For whoever sends slowly; unless told, so that nobody in earnest is given up. */
  readonly patience?: Patience;
  /** How prompts are answered; undefined where no agent was named. */
  readonly serve: Serve | undefined;
}

export interface HttpServer {
  readonly url: string;
  /** Streams end, requests have a moment, then all that was opened is closed. Idempotent. */
  readonly close: () => Promise<void>;
}

/** How long a request's head, and all of it, may take to come, and how often that is looked at. */
interface Patience {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly lookedAtMs: number;
}

const usualPatience: Patience = { headersMs: 10_000, requestMs: 120_000, lookedAtMs: 2000 };
const maxConnections = 1024;
/** What is being answered when the server ends. */
const closingMs = 3000;
const idleLookMs = 20;
const sweepMs = 60_000;

/** Errors: `USAGE` for a place that is taken. */
export async function startHttp(parts: HttpParts): Promise<HttpServer> {
  const guests = new Guests(parts);
  const { config, log, cacheFolder, env, own, meter = noMeter } = parts;
  const feeds = new Feeds(parts.store);
  const attachments = new Attachments({ ...parts, ...config, onWritten: (id) => feeds.nudge(id) });
  const probes = new Probes(parts);
  const kept = { probes, feeds, attachments, pages: new Pages(), idempotency: new Idempotency() };
  const house = { config, guests, log, meter, cacheFolder, env, own, ...kept };
  const server = bounded((request, response) => void listener(request, response), parts.patience);
  await listening(server, parts.listen);
  sweepScratch();
  const { url, port } = addressOf(server);
  const { fetch } = appOf({ house, gate: new Gate(port), sourceOf });
  const listener = getRequestListener((request, bindings) => fetch(request, bindings), {
    overrideGlobalObjects: parts.isProcessOurs ?? false,
    errorHandler: () =>
      problemAnswer(new Refusal(400, "The request is none that can be answered; check its Host")),
  });
  const sweeping = new Interval(sweepMs, () => guests.sweep());
  let closed: Promise<void> | undefined;
  const close = async () => {
    // Who follows is told by the end of the stream.
    await feeds.close();
    await guests.endStreams();
    await ended(server);
    await sweeping.close();
    await guests.close();
  };
  return { url, close: () => (closed ??= close()) };
}

function bounded(
  listener: Parameters<typeof createServer>[1] & {},
  { headersMs, requestMs, lookedAtMs }: Patience = usualPatience,
): Server {
  const server = createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: lookedAtMs,
      keepAliveTimeout: 5000,
    },
    listener,
  );
  server.maxConnections = maxConnections;
  return server;
}

async function ended(server: Server): Promise<void> {
  const gone = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that is kept for more is idle as soon as it has its answer.
  const closing = setInterval(() => server.closeIdleConnections(), idleLookMs);
  await waitAtMost(gone, closingMs);
  clearInterval(closing);
  server.closeAllConnections();
  await gone;
}

/** An address of this machine; by a socket of the file system everybody is one. */
function sourceOf(bindings: unknown): string {
  const incoming = isRecord(bindings) ? (bindings["incoming"] as IncomingMessage | undefined) : undefined;
  return incoming?.socket.remoteAddress ?? "unix";
}
