import { setTimeout as delay } from "node:timers/promises";
import type { SessionId } from "../../../src/base/ids.ts";
import type { NewSession, SessionRecord } from "../../../src/store/contract.ts";
import type { Defect } from "./store.ts";

const wholePatch = ({ title, client, agent, metadata, settings, agentSessionIds }: SessionRecord) => ({
  title: title ?? null,
  ...(client && { client }),
  ...(agent && { agent }),
  metadata,
  settings,
  agentSessionIds,
});

export const ofRecords: Defect[] = [
  {
    title: "loses an update made at the same time",
    caughtBy: "concurrency",
    breaks: (good) => ({
      update: async (id, patch, lease) => {
        const before = await good.get(id);
        await delay(1);
        return good.update(id, { ...(before && wholePatch(before)), ...patch }, lease);
      },
    }),
  },
  {
    title: "hands out the object that it keeps",
    caughtBy: "copies that cannot change the store",
    breaks: (good) => {
      const kept = new Map<SessionId, SessionRecord>();
      return {
        get: async (id) => {
          const record = await good.get(id);
          if (record !== undefined && !kept.has(id)) kept.set(id, structuredClone(record));
          return kept.get(id);
        },
      };
    },
  },
  {
    title: "keeps the object that it was given",
    caughtBy: "copies that cannot change the store",
    breaks: (good) => {
      const given = new Map<SessionId, NewSession>();
      return {
        create: (session) => (given.set(session.id, session), good.create(session)),
        get: async (id) => {
          const record = await good.get(id);
          return record && { ...record, client: given.get(id)?.client ?? {} };
        },
      };
    },
  },
  {
    title: "keeps the activity of what it wrote last, whatever it is told",
    caughtBy: "migration",
    breaks: (good) => ({
      update: (id, { updatedAtMs: _, ...patch }, lease) => good.update(id, patch, lease),
    }),
  },
  {
    title: "writes over a session that exists",
    caughtBy: "records",
    breaks: (good) => ({
      create: async (session) => (await good.delete(session.id), good.create(session)),
    }),
  },
  {
    title: "keeps a title that was cleared",
    caughtBy: "records",
    breaks: (good) => ({
      update: (id, { title, ...patch }, lease) =>
        good.update(id, typeof title === "string" ? { ...patch, title } : patch, lease),
    }),
  },
  {
    title: "brings a deleted session back with an update",
    caughtBy: "deletion",
    breaks: (good) => {
      const known = new Map<SessionId, NewSession>();
      return {
        create: (session) => (known.set(session.id, session), good.create(session)),
        update: async (id, patch, lease) => {
          const session = known.get(id);
          if ((await good.get(id)) === undefined && session !== undefined) await good.create(session);
          return good.update(id, patch, lease);
        },
      };
    },
  },
  {
    title: "says that it deleted what was not there",
    caughtBy: "deletion",
    breaks: (good) => ({ delete: async (id, lease) => (await good.delete(id, lease), true) }),
  },
  {
    title: "deletes under a lease that is lost",
    caughtBy: "deletion",
    breaks: (good) => ({ delete: (id) => good.delete(id) }),
  },
  {
    title: "looks for the lease first and deletes then",
    caughtBy: "deletion",
    breaks: (good) => ({
      delete: async (id, lease) => {
        if (lease !== undefined && (await good.get(id)) !== undefined) await good.renew(lease);
        await new Promise((resolve) => setTimeout(resolve, 5));
        return good.delete(id);
      },
    }),
  },
];
