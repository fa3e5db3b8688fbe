/** What is written to an index, and how much of it is read again. */
import { expect, it, vi } from "vitest";
import { SidecarError } from "../../../src/base/errors.ts";
import { newSessionId, type SessionId } from "../../../src/base/ids.ts";
import { catchUp } from "../../../src/history/search/catch-up.ts";
import { Shards } from "../../../src/history/search/shards.ts";
import { openSqliteIndex } from "../../../src/history/search/sqlite-index.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import { inMemory } from "../../../src/sqlite/engine.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { wrapStore } from "../../../src/store/shell.ts";
import type { TextIndex } from "../../../src/store/text-index.ts";
import { asks, rigOn, says } from "./rig.ts";

const word = (text: string) => ({ wanted: { word: text, isPrefix: false }, unwanted: [] });

async function proposed(index: TextIndex, text: string): Promise<[SessionId, number[]][]> {
  const found: [SessionId, number[]][] = [];
  for await (const { id, seqs } of index.candidates(word(text))) {
    const all: number[] = [];
    for await (const seq of seqs) all.push(seq);
    found.push([id, all]);
  }
  return found;
}

it("lays no word of a session that breaks off under another's number", async () => {
  const inside = openMemoryStore();
  const { session } = rigOn(inside);
  const broken = await session([asks("beech beyond"), says("beech")], {}, 1000);
  const sound = await session([asks("sound"), says("oak")], {}, 2000);
  const store = wrapStore(inside, {
    async *read(id, range) {
      for await (const page of inside.read(id, range)) yield id === broken ? page.slice(0, 1) : page;
      if (id !== broken) return;
      throw new SidecarError("STORE_CORRUPT", "The rest is damaged");
    },
  });
  const index = await openSqliteIndex(inMemory);
  expect(await catchUp(new SessionRegistry({ store }), index)).toMatchObject({ unread: [broken] });
  expect(await proposed(index, "oak")).toEqual([[sound, [2]]]);
  expect(await proposed(index, "beyond")).toEqual([]);
  await index.close();
});

it("takes no session for an older one because others have indexed more of it since it was listed", async () => {
  const inside = openMemoryStore();
  const { session, registry, add } = rigOn(inside);
  const id = await session([asks("larch"), says("larch")]);
  const listed = (await inside.list({})).items;
  await add(id, [asks("larch")]);
  const index = await openSqliteIndex(inMemory);
  await catchUp(registry, index);
  const dropping = vi.spyOn(index, "drop");
  const late = wrapStore(inside, { list: () => ({ items: listed }) });
  expect(await catchUp(new SessionRegistry({ store: late }), index, { all: true })).toMatchObject({
    messages: 0,
  });
  expect(dropping).not.toHaveBeenCalled();
  expect(await proposed(index, "larch")).toEqual([[id, [3, 2, 1]]]);
  await index.close();
});

it("reads of a huge session only the words that are asked for", async () => {
  const index = await openSqliteIndex(inMemory);
  const id = newSessionId();
  const most = 40_000;
  for (let from = 1; from < most; from += 10_000) {
    const messages = Array.from({ length: 10_000 }, (_, n) => ({ id, seq: from + n, words: "elm" }));
    await index.write({ sessions: [{ ...known, id, throughSeq: from + 9999 }], messages });
  }
  const reading = vi.spyOn(Shards.prototype, "matches");
  for await (const { seqs } of index.candidates({ ...word("elm"), id })) {
    for await (const seq of seqs) {
      expect(seq).toBe(most);
      break;
    }
  }
  expect(reading).toHaveBeenCalledTimes(1);
  reading.mockRestore();
  const [all] = await proposed(index, "elm");
  expect(all).toEqual([id, Array.from({ length: most }, (_, n) => most - n)]);
  await index.close();
});

const known = {
  updatedAtMs: 1000,
  cwd: "/home/ada",
  folder: "/home/ada",
  agent: "",
  parentId: undefined,
  baseSeq: 0,
  fromSeq: 1,
  sum: 0,
  isOpen: false,
  rewrittenAtMs: 0,
};
