/** The server, with a store of its own, as a browser meets it. */
import { fileURLToPath } from "node:url";
import { noAudit } from "../../src/audit/audit.ts";
import { isSessionId } from "../../src/base/ids.ts";
import { silentLogger } from "../../src/base/log.ts";
import { defaults } from "../../src/config/options.ts";
import type { Serve } from "../../src/http/prompting/serve-guest.ts";
import { startHttp } from "../../src/http/server.ts";
import { listenFrom } from "../../src/http/listen.ts";
import { foldEntries } from "../../src/session/fold.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { runSidecar } from "../../src/sidecar.ts";
import type { NewEntry, Store } from "../../src/store/contract.ts";
import { guardedAs } from "../../src/store/guarded/open.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";

export type Served = Awaited<ReturnType<typeof served>>;

const agent = fileURLToPath(new URL("../fixtures/agents/agent.mjs", import.meta.url));

/** An agent in a process of its own, as the command runs one. */
export const serveAgent: Serve =
  ({ store, audit, onWritten }) =>
  ({ input, output }, signal) =>
    runSidecar(
      { store, endpoint: "off", agent: { command: process.execPath, args: [agent] }, logLevel: "silent" },
      {
        input,
        output,
        audit,
        front: "request",
        follow: (news) => void ("id" in news && isSessionId(news.id) && onWritten(news.id)),
      },
      signal,
    );

interface Serving {
  readonly store?: Store;
  readonly listen?: string;
  /** What answers prompts. */
  readonly serve?: Serve | undefined;
  readonly config?: Partial<typeof defaults>;
  readonly env?: Readonly<Record<string, string>>;
}

export async function served({
  store = openMemoryStore(),
  listen = "127.0.0.1:0",
  serve,
  config = {},
  env = {},
}: Serving = {}) {
  const owner = new SessionRegistry({ ...defaults, audit: noAudit, store: guardedAs(store, {}) });
  const { secret: token } = await owner.sharing.tokens.create({ name: "browser", scope: "admin" });
  const server = await startHttp({
    perSecond: 100_000,
    store,
    config: { ...defaults, ...config },
    audit: noAudit,
    log: silentLogger,
    listen: listenFrom(listen),
    url: "memory:",
    cacheFolder: undefined,
    env,
    serve,
  });
  return {
    owner,
    token,
    url: server.url,
    /** A session with these entries, all of them final. */
    write: async (
      title: string,
      entries: Iterable<readonly NewEntry[]>,
      cwd = "/home/ann/shop",
    ): Promise<string> => {
      const { id } = await owner.create({ cwd, title });
      const { journal } = await owner.open(id);
      for (const each of entries) await journal.seal(foldEntries(each));
      await journal.release();
      return id;
    },
    close: async () => {
      await server.close();
      await owner.close();
      await store.close();
    },
  };
}
