import { setTimeout as delay } from "node:timers/promises";
import type { SessionId } from "../../../src/base/ids.ts";
import type { Entry, NewEntry, Store } from "../../../src/store/contract.ts";
import { entriesOf } from "../samples.ts";
import type { Defect } from "./store.ts";

async function* pagesWith(good: Store, id: SessionId, change: (entry: Entry) => Entry) {
  for await (const page of good.read(id)) yield page.map(change);
}

async function* inOnePage(good: Store, ...args: Parameters<Store["read"]>) {
  const entries = await entriesOf(good, ...args);
  if (entries.length > 0) yield entries;
}

export const ofJournals: Defect[] = [
  {
    title: "leaves a gap in seq",
    caughtBy: "append and seal",
    breaks: (good) => ({
      read: (id) => pagesWith(good, id, (entry) => ({ ...entry, seq: entry.seq + (entry.seq > 3 ? 1 : 0) })),
    }),
  },
  {
    title: "writes JSON anew instead of keeping it to the letter",
    caughtBy: "append and seal",
    breaks: (good) => ({
      read: (id) =>
        pagesWith(good, id, (entry) => ({ ...entry, data: JSON.stringify(JSON.parse(entry.data)) })),
    }),
  },
  {
    title: "keeps a part of a batch that it refuses",
    caughtBy: "append and seal",
    breaks: (good) => ({
      append: async (id, after, entries, lease) => {
        const head = (await good.get(id))?.headSeq ?? 0;
        if (after !== head) await good.append(id, head, entries.slice(0, 1), lease);
        return good.append(id, after, entries, lease);
      },
    }),
  },
  {
    title: "appends wherever the journal ends",
    caughtBy: "append and seal",
    breaks: (good) => ({
      append: async (id, _after, entries, lease) =>
        good.append(id, (await good.get(id))?.headSeq ?? 0, entries, lease),
    }),
  },
  {
    title: "refuses what stands behind a refused write",
    caughtBy: "failure",
    breaks: (good) => {
      let writing: Promise<unknown> = Promise.resolve();
      return {
        append: (...args) => {
          const written = writing.then(() => good.append(...args));
          writing = written;
          return written;
        },
      };
    },
  },
  {
    title: "leaves chunks behind when it seals",
    caughtBy: "append and seal",
    breaks: (good) => ({
      seal: async (id, { from, head }, entries, lease) => {
        const kept: NewEntry[] = await entriesOf(good, id, { from: from + entries.length, through: head });
        return good.seal(id, { from, head }, [...entries, ...kept], lease);
      },
    }),
  },
  {
    title: "forgets last activity when it appends",
    caughtBy: "append and seal",
    breaks: (good) => ({
      append: async (id, after, entries, lease) => {
        const before = await good.get(id);
        const head = await good.append(id, after, entries, lease);
        if (before) await good.update(id, { updatedAtMs: before.updatedAtMs });
        return head;
      },
    }),
  },
  {
    title: "carries calls out of order",
    caughtBy: "concurrency",
    breaks: (good) => {
      let calls = 0;
      return {
        append: async (...args) => {
          calls += 1;
          if (calls % 7 === 3) await delay(2);
          return good.append(...args);
        },
      };
    },
  },
  {
    title: "reads a journal into one page, however long",
    caughtBy: "read and pages",
    breaks: (good) => ({ read: (id, range) => inOnePage(good, id, range) }),
  },
  {
    title: "mixes a turn's chunks with what was sealed in their place",
    caughtBy: "read and pages",
    breaks: (good) => ({
      read: async function* (id, range = {}) {
        let from = range.from ?? 1;
        for (;;) {
          const pages = good.read(id, { ...range, from })[Symbol.asyncIterator]();
          const page = await pages.next();
          if (page.done === true) return;
          yield page.value;
          from = (page.value.at(-1)?.seq ?? from) + 1;
        }
      },
    }),
  },
  {
    title: "lets a fork see what its parent said later",
    caughtBy: "lineage and forks",
    breaks: (good) => ({
      create: async (session) => {
        const parent = session.lineage && (await good.get(session.lineage.parentId));
        const lineage = session.lineage && { ...session.lineage, atSeq: parent?.sealedSeq ?? 0 };
        return good.create(lineage === undefined ? session : { ...session, lineage });
      },
    }),
  },
  {
    title: "takes a fork's inherited entries away with its parent",
    caughtBy: "lineage and forks",
    breaks: (good) => ({
      read: async function* (id, range) {
        const lineage = (await good.get(id))?.lineage;
        const orphaned = lineage !== undefined && (await good.get(lineage.parentId)) === undefined;
        yield* good.read(id, orphaned ? { ...range, from: lineage.atSeq + 1 } : range);
      },
    }),
  },
];
