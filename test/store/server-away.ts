/** A server that goes away and comes back: what must be true of every store that lives on one. */
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { Store } from "../../src/store/contract.ts";
import {
  aJournal,
  aRequest,
  aSession,
  assertJournal,
  leaseOf,
  rejectsWith,
  someEntries,
} from "../conformance/samples.ts";
import { throughPort } from "./servers.ts";
import { tcpProxy, type TcpProxy } from "./tcp-proxy.ts";

interface Sandbox {
  readonly url: string;
  readonly empty: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface ServerUnderTest<Limits> {
  /** As in a sentence. */
  readonly name: string;
  readonly address: { readonly host: string; readonly port: number };
  readonly sandbox: Sandbox;
  readonly open: (options: { readonly url: string } & Limits) => Promise<Store>;
}

/** Opens stores, directly and through proxies, and closes them after each test. */
export function onServerOf<Limits>({ address, sandbox, open }: ServerUnderTest<Limits>) {
  const proxies: TcpProxy[] = [];
  const stores: Store[] = [];
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    for (const proxy of proxies.splice(0)) await proxy.close();
    await sandbox.empty();
  });
  afterAll(sandbox.close);
  return {
    opened: async (url: string, limits: Limits): Promise<Store> => {
      const store = await open({ url, ...limits });
      stores.push(store);
      return store;
    },
    proxied: async (): Promise<{ readonly proxy: TcpProxy; readonly url: string }> => {
      const proxy = await tcpProxy(address);
      proxies.push(proxy);
      return { proxy, url: throughPort(sandbox.url, proxy.port) };
    },
  };
}

interface Patience {
  readonly retryForMs: number;
}

export interface ServerThatGoes<Limits> {
  readonly server: ServerUnderTest<Limits>;
  readonly rig: ReturnType<typeof onServerOf<Limits>>;
  /** To try for `retryForMs` and, where told, to wait for an answer no longer than `answerMs`. */
  readonly limits: (patience: Patience & { readonly answerMs?: number }) => Limits;
  /** Connections are broken after so many bytes of the server's answers, one after the other. */
  readonly breaks: { readonly append: number; readonly acquire: number; readonly create: number };
  /** What the server holds of sessions when all of them have been deleted. */
  readonly leftOver: () => Promise<readonly string[]>;
}

/** `count` places to break a connection at, spread over `bytes`. */
function* placesIn(bytes: number, count: number): Generator<number> {
  for (let at = 0; at < count; at += 1) yield 1 + Math.floor((at * bytes) / count);
}

export function goesAway<Limits>({ server, rig, limits, breaks, leftOver }: ServerThatGoes<Limits>): void {
  const { sandbox, name } = server;
  const throughProxy = async (patience: Parameters<typeof limits>[0]) => {
    const { proxy, url } = await rig.proxied();
    return { proxy, url, store: await rig.opened(url, limits(patience)) };
  };

  describe(`a ${name} server that goes away`, () => {
    it(
      "loses and doubles no entry when connections break in the middle of appends",
      { tags: ["long"] },
      async () => {
        const { proxy, store } = await throughProxy({ retryForMs: 10_000 });
        const { id } = await store.create(aSession());
        const lease = await leaseOf(store, id);
        let head = 0;
        for (let round = 0; round < 60; round += 1) {
          // Cuts fall before, within and behind the server's answer: the outcome is often unknown.
          proxy.breakAfter(1 + ((round * 7) % breaks.append));
          head = await store.append(id, head, someEntries(3, head + 1), lease);
          if (round % 4 !== 3) continue;
          proxy.breakAfter(1 + ((round * 131) % (breaks.append * 3)));
          const sealed = someEntries(2, head - 2);
          head = await store.seal(id, { from: head - 2, head }, sealed, lease);
        }
        const direct = await rig.opened(sandbox.url, limits({ retryForMs: 10_000 }));
        await assertJournal(direct, id, someEntries(head));
        expect(head).toBe(60 * 3 - 15);
      },
    );

    it("tells an acquisition's own first try from somebody else's lease", async () => {
      const { proxy, store } = await throughProxy({ retryForMs: 10_000 });
      const { id } = await store.create(aSession());
      for (const bytes of placesIn(breaks.acquire, 20)) {
        proxy.breakAfter(bytes);
        const { lease, previous } = await store.acquire(id, aRequest());
        expect(previous).toBeUndefined();
        await store.release(lease);
      }
    });

    it("creates, forks and deletes exactly once however the connection breaks", async () => {
      const { proxy, store } = await throughProxy({ retryForMs: 10_000 });
      const { id: parentId } = await aJournal(store, 2);
      for (const bytes of placesIn(breaks.create, 10)) {
        proxy.breakAfter(bytes);
        const alone = await store.create(aSession());
        proxy.breakAfter(bytes);
        const fork = await store.create(aSession({ lineage: { parentId, atSeq: 2 } }));
        proxy.breakAfter(bytes);
        expect(await store.delete(alone.id)).toBe(true);
        expect(await store.delete(fork.id)).toBe(true);
      }
      expect(await store.count()).toBe(1);
      await store.delete(parentId);
      expect(await leftOver()).toEqual([]);
    });

    it("fails in one line while the server is away, and goes on when it is back", async () => {
      const { proxy, store, url } = await throughProxy({ retryForMs: 100 });
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await store.append(id, 0, someEntries(2), lease);
      await proxy.cut();
      const failing = [
        store.append(id, 2, someEntries(1, 3), lease),
        store.get(id),
        store.list(),
        store.acquire(id, aRequest({ mayTake: () => true })),
      ];
      await Promise.all(failing.map((each) => rejectsWith("STORE_UNAVAILABLE", each)));
      await expect(failing[1]).rejects.toThrow(/cannot be reached \(ECONNREFUSED\)/);
      await proxy.restore();
      // The connection is made again in the background; a call that comes too early for it is tried again.
      const patient = await rig.opened(url, limits({ retryForMs: 10_000 }));
      expect(await patient.append(id, 2, someEntries(1, 3), lease)).toBe(3);
      await assertJournal(patient, id, someEntries(3));
    });

    it("carries a call over an absence that is short enough", async () => {
      const { proxy, store } = await throughProxy({ retryForMs: 20_000 });
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await proxy.cut();
      const appending = store.append(id, 0, someEntries(2), lease);
      await proxy.restore();
      expect(await appending).toBe(2);
    });

    it("gives up a connection on which no answer comes", async () => {
      const { proxy, store } = await throughProxy({ retryForMs: 10_000, answerMs: 150 });
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      proxy.mute(true);
      const appending = store.append(id, 0, someEntries(1), lease);
      setTimeout(() => proxy.mute(false), 400);
      expect(await appending).toBe(1);
      await assertJournal(store, id, someEntries(1));
    });

    it("closes at once while calls wait for the server, and soon while it answers nothing", async () => {
      const { proxy, store, url } = await throughProxy({ retryForMs: 60_000 });
      const other = await rig.opened(url, limits({ retryForMs: 60_000 }));
      proxy.mute(true);
      const unanswered = rejectsWith("STORE_UNAVAILABLE", other.get(aSession().id));
      await other.close();
      await unanswered;
      await proxy.cut();
      const waiting = rejectsWith("STORE_UNAVAILABLE", store.get(aSession().id));
      await store.close();
      await waiting;
    });
  });
}
