import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withoutLink } from "../../src/acp/chain-link.ts";
import { foldedPages } from "../../src/session/conversation.ts";
import { foldEntries } from "../../src/session/fold.ts";
import { collect } from "../../src/session/pages.ts";
import type { Entry, NewEntry } from "../../src/store/contract.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { anyItem } from "./any-item.ts";
import { checked } from "./chain-rig.ts";
import { end, newEntry, type Item } from "./entries.ts";
import { open, session, stored } from "./journal-rig.ts";

async function begun() {
  const store = openMemoryStore();
  const id = await session(store);
  const { journal } = await open(store, id);
  let atMs = 1000;
  const timed = (items: readonly Item[]) => items.map((item) => newEntry(item, (atMs += 7)));
  return { store, id, journal, timed };
}

describe("a journal that anything is said into", () => {
  /** Turns, each of appends of some entries. */
  const turns = fc.array(fc.array(fc.array(anyItem, { maxLength: 6 }), { maxLength: 4 }), { maxLength: 3 });

  it("keeps of each turn what folding makes of it, times and kinds too, and its chain holds [issue 11.2]", async () => {
    await fc.assert(
      fc.asyncProperty(turns, async (given) => {
        const { store, id, journal, timed } = await begun();
        const compactions = new Set<string>();
        const wanted: NewEntry[] = [];
        for (const turn of given) {
          const said = turn.map(timed);
          for (const entries of said) await journal.append(entries);
          const last = timed([end]);
          await journal.sealTurn(last);
          wanted.push(...foldEntries(said.flat(), compactions), ...last);
        }
        const kept = await stored(store, id);
        const plain = kept.map((each) => ({ kind: each.kind, atMs: each.atMs, data: withoutLink(each) }));
        expect(plain).toEqual(wanted);
        expect(checked(kept).damage).toBeUndefined();
        await journal.release();
      }),
      { numRuns: 300 },
    );
  });

  it("is told, before it is sealed, as a seal by whoever opens it next makes of it [issue 10.2]", async () => {
    await fc.assert(
      fc.asyncProperty(turns, async (given) => {
        const { store, id, journal, timed } = await begun();
        for (const [number, turn] of given.entries()) {
          for (const items of turn) await journal.append(timed(items));
          if (number < given.length - 1) await journal.sealTurn(timed([end]));
        }
        await journal.release();
        const told = await collect(foldedPages(store, (await store.get(id))!));
        await (await open(store, id)).journal.release();
        const plain = (entries: readonly Entry[]) =>
          entries.map((each) => ({ ...each, data: withoutLink(each) }));
        expect(plain(told)).toEqual(plain(await stored(store, id)));
      }),
      { numRuns: 300 },
    );
  });
});
