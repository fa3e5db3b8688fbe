/** The API on a store of its own, without a socket: requests as a program sends them, judged by the document. */
import { afterEach } from "vitest";
import type { SessionId } from "../../src/base/ids.ts";
import { noAudit, type Audit } from "../../src/audit/audit.ts";
import { silentLogger } from "../../src/base/log.ts";
import { noMeter, type Counting } from "../../src/base/meter.ts";
import { defaults } from "../../src/config/options.ts";
import { appOf } from "../../src/http/app.ts";
import { Feeds } from "../../src/http/events/feeds.ts";
import { Guests } from "../../src/http/guests.ts";
import { Gate } from "../../src/http/host-and-origin.ts";
import { Probes } from "../../src/http/probes.ts";
import { Idempotency } from "../../src/http/idempotency.ts";
import { Pages } from "../../src/http/rendered.ts";
import { Attachments } from "../../src/http/prompting/attachments.ts";
import type { Serve } from "../../src/http/prompting/serve-guest.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { Store } from "../../src/store/contract.ts";
import type { Scope } from "../../src/store/guarded/permissions.ts";
import { guardedAs } from "../../src/store/guarded/open.ts";
import type { TokenWish } from "../../src/store/guarded/tokens.ts";
import { judge } from "./judge.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";

/** Of what is answered, whatever a test may look at. */
export interface Told {
  readonly [member: string]: unknown;
  readonly id: SessionId;
  readonly type: string;
  readonly state: string;
  readonly title: string;
  readonly code: string;
  readonly detail: string;
  readonly metadata: object;
  readonly values: object;
  readonly holder: object;
  readonly updatedAtMs: number;
  readonly expiresAtMs: number;
  readonly nextCursor: string;
  readonly sessions: readonly Told[];
  readonly items: readonly Told[];
  readonly content: readonly { readonly text: string }[];
  readonly by: string;
  readonly follow: string;
  readonly cancelled: boolean;
  readonly permissions: readonly {
    readonly permissionId: string;
    readonly options: readonly { readonly optionId: string }[];
  }[];
  readonly before?: number;
  readonly after: number;
  readonly isMoreAfter: boolean;
  readonly headSeq: number;
  readonly sealedSeq: number;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of a JSON answer. */
  readonly json: Told;
}

export interface Asking {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

export type Api = Awaited<ReturnType<typeof apiOn>>;

/** @param identity as whom the store was opened that makes the tokens */
export async function apiOn({
  store = openMemoryStore(),
  audit = noAudit,
  identity,
  config = {},
  cacheFolder,
  serve,
  perSecond = 100_000,
  meter = noMeter,
}: {
  readonly store?: Store;
  readonly audit?: Audit;
  readonly identity?: string;
  readonly config?: object;
  readonly cacheFolder?: string;
  readonly serve?: Serve;
  readonly perSecond?: number;
  readonly meter?: Counting;
} = {}) {
  const feeds = new Feeds(store);
  const parts = { store, config: { ...defaults, ...config }, audit, log: silentLogger, perSecond };
  const guests = new Guests(parts);
  const shared = {
    log: silentLogger,
    meter,
    cacheFolder,
    feeds,
    attachments: new Attachments({ ...parts, ...parts.config, serve, onWritten: (id) => feeds.nudge(id) }),
    probes: new Probes({ ...parts, url: "memory:", cacheFolder, env: {} }),
    pages: new Pages(),
    idempotency: new Idempotency(),
    env: {},
  };
  const house = { config: parts.config, guests, ...shared };
  const app = appOf({ house, gate: new Gate(7433), sourceOf: () => "127.0.0.1" });
  const owner = new SessionRegistry({
    ...defaults,
    audit: noAudit,
    store: guardedAs(store, identity === undefined ? {} : { identity }),
  });
  const tokenFor = async (scope: Scope, wish: Partial<TokenWish> = {}) =>
    (await owner.sharing.tokens.create({ name: scope, scope, ...wish })).secret;
  const admin = await tokenFor("admin");
  const raw = async (method: string, path: string, { token = admin, body, headers }: Asking = {}) =>
    app.fetch(
      new Request(`http://127.0.0.1:7433${path}`, {
        method,
        headers: {
          host: "127.0.0.1:7433",
          ...(token !== "" && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
    );
  const ask = async (method: string, path: string, asking?: Asking): Promise<Answered> => {
    const response = await raw(method, path, asking);
    const text = await response.text();
    judge(method, path, response, text);
    const isJson =
      /json\b/.test(response.headers.get("content-type") ?? "") &&
      !/ndjson/.test(response.headers.get("content-type") ?? "");
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: (isJson ? JSON.parse(text) : {}) as Told,
    };
  };
  const close = async () => {
    await feeds.close();
    await guests.close();
    await owner.close();
    await store.close();
  };
  open.push({ close });
  return { ask, raw, admin, tokenFor, owner, store, feeds };
}
