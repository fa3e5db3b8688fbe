import type { SessionRecord } from "../../../src/store/contract.ts";
import type { Defect } from "./store.ts";

export const ofLists: Defect[] = [
  {
    title: "doubles a session between pages",
    caughtBy: "list and filters",
    breaks: (good) => {
      let last: SessionRecord | undefined;
      return {
        list: async (query = {}) => {
          const page = await good.list(query);
          const doubled = query.cursor !== undefined && last !== undefined ? [last] : [];
          last = page.items.at(-1);
          return { ...page, items: [...doubled, ...page.items] };
        },
      };
    },
  },
  {
    title: "misses a session between pages",
    caughtBy: "list and filters",
    breaks: (good) => ({
      list: async (query = {}) => {
        const page = await good.list(query);
        return query.cursor === undefined ? page : { ...page, items: page.items.slice(1) };
      },
    }),
  },
  {
    title: "takes what an id begins with for any part of it",
    caughtBy: "list and filters",
    breaks: (good) => ({
      list: async ({ idStartsWith = "", ...query } = {}) => {
        const page = await good.list(query);
        return { ...page, items: page.items.filter(({ id }) => id.includes(idStartsWith)) };
      },
    }),
  },
  {
    title: "counts without its filter",
    caughtBy: "search by metadata",
    breaks: (good) => ({ count: () => good.count() }),
  },
  {
    title: "takes a text for the number that it spells",
    caughtBy: "search by metadata",
    breaks: (good) => ({
      list: async (query = {}) => {
        const { metadata, ...rest } = query;
        const { items } = await good.list(rest);
        const wanted = Object.entries(metadata ?? {});
        return { items: items.filter((item) => wanted.every(([k, v]) => `${item.metadata[k]}` === `${v}`)) };
      },
    }),
  },
  {
    title: "expires what was active at the very instant",
    caughtBy: "expiry",
    breaks: (good) => ({
      count: ({ updatedBeforeMs, ...filter } = {}) =>
        good.count(
          updatedBeforeMs === undefined ? filter : { ...filter, updatedBeforeMs: updatedBeforeMs + 1 },
        ),
    }),
  },
  {
    title: "goes on when it is closed",
    caughtBy: "lifecycle",
    breaks: () => ({ close: async () => undefined }),
  },
  {
    title: "cuts long entries",
    caughtBy: "limits",
    breaks: (good) => ({
      append: (id, after, entries, lease) => {
        const cut = entries.map((entry) => ({ ...entry, data: entry.data.slice(0, 1 << 22) }));
        return good.append(id, after, cut, lease);
      },
    }),
  },
];
