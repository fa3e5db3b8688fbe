/** Sessions to be searched, written to a store as a turn's end writes them. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import type { SessionId } from "../../../src/base/ids.ts";
import { Searcher, type SearchOptions } from "../../../src/history/search/search.ts";
import { plainSnippet } from "../../../src/history/search/snippet.ts";
import type { SessionInit } from "../../../src/session/registry-options.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { Store } from "../../../src/store/contract.ts";
import { chunk, newEntry, prompt, type Item } from "../../session/entries.ts";

const holder = { host: "here", pid: process.pid, startedAt: "now" };

export function scratch(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-search-"));
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const says = (text: string) => chunk(text);
export const asks = (text: string) => prompt(text);

/** Adds final entries; returns the session's head. */
export async function seal(
  store: Store,
  id: SessionId,
  items: readonly Item[],
  atMs = Date.now(),
): Promise<number> {
  const { lease } = await store.acquire(id, { holder, ttlMs: 60_000, mayTake: () => true });
  const { headSeq: head } = (await store.get(id))!;
  const entries = items.map((item) => newEntry(item, atMs));
  const after = await store.seal(id, { from: head + 1, head }, entries, lease);
  await store.release(lease);
  return after;
}

export function rigOn(store: Store, cacheFolder?: string) {
  const registry = new SessionRegistry({ store });
  const searcher = new Searcher(registry, { cacheFolder });
  const found = async (query: string, options?: SearchOptions) => {
    const { sessions } = await searcher.search(query, options);
    return sessions.flatMap(({ hits }) => hits.map(({ address }) => address));
  };
  return {
    store,
    registry,
    searcher,
    /** A session with these entries. */
    session: async (items: readonly Item[], init: Partial<SessionInit> = {}, atMs?: number) => {
      const { id } = await registry.create({ cwd: "/home/ada/project", ...init });
      await seal(store, id, items, atMs);
      return id;
    },
    add: (id: SessionId, items: readonly Item[], atMs?: number) => seal(store, id, items, atMs),
    found,
    snippets: async (query: string, options?: SearchOptions) => {
      const { sessions } = await searcher.search(query, options);
      return sessions.flatMap(({ hits }) => hits.map(({ snippet }) => plainSnippet(snippet)));
    },
    close: async () => {
      await searcher.close();
      await registry.close();
    },
  };
}
