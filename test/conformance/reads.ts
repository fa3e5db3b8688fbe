import assert from "node:assert/strict";
import type { Entry } from "../../src/store/contract.ts";
import type { Capability } from "./check.ts";
import {
  aJournal,
  anEntry,
  aSession,
  entriesOf,
  leaseOf,
  pagesOf,
  rejectsWith,
  someEntries,
} from "./samples.ts";

const seqsOf = (entries: readonly { readonly seq: number }[]): number[] => entries.map(({ seq }) => seq);

async function drain(pages: AsyncIterator<readonly Entry[]>): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let page = await pages.next(); page.done !== true; page = await pages.next())
    entries.push(...page.value);
  return entries;
}

export const reads: Capability = {
  name: "read and pages",
  checks: [
    {
      title: "yields no page for an empty journal or an empty range",
      run: async (store) => {
        const { id } = await aJournal(store, 0);
        assert.deepEqual(await pagesOf(store, id), []);
        const other = await aJournal(store, 3);
        assert.deepEqual(await pagesOf(store, other.id, { from: 4 }), []);
        assert.deepEqual(await pagesOf(store, other.id, { from: 3, through: 2 }), []);
        assert.deepEqual(await pagesOf(store, other.id, { through: 0 }), []);
      },
    },
    {
      title: "reads from and through, both included, whatever lies outside of the journal",
      run: async (store) => {
        const { id } = await aJournal(store, 5);
        const read = async (from?: number, through?: number) =>
          seqsOf(
            await entriesOf(store, id, {
              ...(from !== undefined && { from }),
              ...(through !== undefined && { through }),
            }),
          );
        assert.deepEqual(await read(2, 4), [2, 3, 4]);
        assert.deepEqual(await read(4), [4, 5]);
        assert.deepEqual(await read(undefined, 2), [1, 2]);
        assert.deepEqual(await read(-3, 99), [1, 2, 3, 4, 5]);
        assert.deepEqual(await read(5, 5), [5]);
      },
    },
    {
      title: "reads a long journal in several pages, none of them empty, without gap or double",
      run: async (store) => {
        const { id } = await aJournal(store, 12_000);
        const pages = await pagesOf(store, id);
        assert.ok(
          pages.length > 1 && pages.every((page) => page.length > 0),
          "several pages, none of them empty",
        );
        const expected = someEntries(12_000).map((entry, i) => ({ seq: i + 1, ...entry }));
        assert.deepEqual(pages.flat(), expected);
        assert.deepEqual(seqsOf(await entriesOf(store, id, { from: 1500, through: 7321 }))[5821], 7321);
      },
    },
    {
      title: "bounds pages by bytes as well",
      run: async (store) => {
        const { id } = await store.create(aSession());
        const lease = await leaseOf(store, id);
        const large = anEntry("x".repeat(1 << 20));
        for (let at = 0; at < 20; at += 4) await store.append(id, at, [large, large, large, large], lease);
        const pages = await pagesOf(store, id);
        assert.deepEqual(
          seqsOf(pages.flat()),
          Array.from({ length: 20 }, (_, i) => i + 1),
        );
        assert.ok(Math.max(...pages.map((page) => page.length)) <= 10, "at most 10 MiB in a page");
      },
    },
    {
      title: "lets go of a read that is given up, and reads the same journal several times at once",
      run: async (store) => {
        const { id, lease } = await aJournal(store, 3000);
        for await (const page of store.read(id)) {
          assert.equal(page[0]?.seq, 1);
          break;
        }
        const [a, b] = await Promise.all([entriesOf(store, id), entriesOf(store, id)]);
        assert.equal(a.length, 3000);
        assert.deepEqual(a, b);
        assert.equal(await store.append(id, 3000, someEntries(1, 3001), lease), 3001);
      },
    },
    {
      title: "writes while a read goes on, and the read sees a prefix without gap",
      run: async (store) => {
        const { id, lease } = await aJournal(store, 3000);
        let head = 3000;
        const seen: number[] = [];
        for await (const page of store.read(id)) {
          seen.push(...seqsOf(page));
          // A read may follow the journal as it grows, and then needs an end.
          if (head < 3050) head = await store.append(id, head, someEntries(1, head + 1), lease);
        }
        assert.ok(seen.length >= 3000 && seen.length <= head, `3000 to ${head} entries, not ${seen.length}`);
        assert.deepEqual(
          seen,
          seen.map((_, i) => i + 1),
        );
      },
    },
    {
      title: "breaks off a read of which a seal has replaced a part, and goes on with one of final entries",
      run: async (store) => {
        const { id, lease } = await aJournal(store, 2000);
        await store.append(id, 2000, someEntries(20_000, 2001), lease);
        const running = store.read(id, { from: 2001 })[Symbol.asyncIterator]();
        const final = store.read(id, { through: 2000 })[Symbol.asyncIterator]();
        await running.next();
        const seen = [...((await final.next()).value as readonly Entry[])];
        await store.seal(id, { from: 2001, head: 22_000 }, [anEntry("all")], lease);
        await store.append(id, 2001, someEntries(20_000, 2002), lease);
        await rejectsWith("STORE_CONFLICT", drain(running));
        seen.push(...(await drain(final)));
        assert.deepEqual(seqsOf(seen), seqsOf(await entriesOf(store, id, { through: 2000 })));
        assert.deepEqual(seen[1999], { seq: 2000, ...someEntries(1, 2000)[0] });
      },
    },
    {
      title: "finds no journal of a session that is not there",
      run: async (store) => {
        await rejectsWith("SESSION_NOT_FOUND", pagesOf(store, aSession().id));
      },
    },
  ],
};
