/** The library, used by a stranger to somebody's session: every method that takes an id, and what looks through all. */
import { describe, expect, it } from "vitest";
import type { SessionId } from "../../src/base/ids.ts";
import { searchSessions } from "../../src/history/search/search.ts";
import { usageOf } from "../../src/history/usage/usage.ts";
import { branchesOf } from "../../src/history/lineage.ts";
import { exportSession } from "../../src/history/export/export.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { guardedStore } from "../../src/store/guarded/store.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";

const store = openMemoryStore();
const as = (principal: string) =>
  new SessionRegistry({ store: guardedStore(store, { principal, isAdmin: false }) });
const secret = "Xylophonemarker";

/** Ann's: one that is there, one in the archive, one in the trash. */
async function anns() {
  const ann = as("ann");
  const make = async () => {
    const { id } = await ann.create({ cwd: "/a", title: secret, agentSessionIds: ["agent-1"] });
    await ann.addMessage(id, { role: "user", content: secret });
    return id;
  };
  const ids = [await make(), await make(), await make()] as [SessionId, SessionId, SessionId];
  await ann.archive(ids[1]);
  await ann.remove(ids[2]);
  return ids;
}

type Act = (registry: SessionRegistry, id: SessionId) => unknown;

/** Each refuses as of a session that is not there. */
const refusing: Readonly<Record<string, Act>> = {
  get: (eve, id) => eve.get(id),
  resolve: (eve, id) => eve.resolve(id),
  "resolve by its end": (eve, id) => eve.resolve(id.slice(-8)),
  "resolve by its beginning": (eve, id) => eve.resolve(id.slice(0, 20)),
  "trash.resolve": (eve, id) => eve.trash.resolve(id),
  fork: (eve, id) => eve.fork(id),
  "create with its entries": (eve, id) => eve.create({ cwd: "/e", lineage: { parentId: id, atSeq: 1 } }),
  open: (eve, id) => eve.open(id),
  update: (eve, id) => eve.update(id, () => ({ title: "x" })),
  move: (eve, id) => eve.move(id, "/e"),
  archive: (eve, id) => eve.archive(id),
  unarchive: (eve, id) => eve.unarchive(id),
  rename: (eve, id) => eve.rename(id, "x"),
  compact: (eve, id) => eve.compact(id),
  "compaction.effect": (eve, id) => eve.compaction.effect(id),
  "compaction.undo": (eve, id) => eve.compaction.undo(id),
  "compaction.erase": (eve, id) => eve.compaction.erase(id),
  touch: (eve, id) => eve.touch(id),
  addMessage: (eve, id) => eve.addMessage(id, { role: "user", content: "x" }),
  addSummary: (eve, id) => eve.addSummary(id, { throughSeq: 1, content: "x", by: "x" }),
  rewind: (eve, id) => eve.rewind(id, 0),
  edit: (eve, id) => eve.edit(id, 1, { role: "user", content: "x" }),
  "back.effect": (eve, id) => eve.back.effect(id, 0),
  "back.wordings": (eve, id) => eve.back.wordings(id, 1),
  superseded: (eve, id) => eve.superseded(id),
  messages: (eve, id) => eve.messages(id)[Symbol.asyncIterator]().next(),
  counting: (eve, id) => eve.counting(id).next(),
  read: (eve, id) => eve.read(id)[Symbol.asyncIterator]().next(),
  end: (eve, id) => eve.end(id),
  "brought.goOn": (eve, id) => eve.brought.goOn(id),
  "sharing.share": (eve, id) => eve.sharing.share(id, { with: "eve" }),
  "sharing.unshare": (eve, id) => eve.sharing.unshare(id, "bob"),
  "sharing.shares": (eve, id) => eve.sharing.shares(id),
  "sharing.ownerOf": (eve, id) => eve.sharing.ownerOf(id),
  "sharing.own": (eve, id) => eve.sharing.own(id),
  "sharing.endHolding": (eve, id) => eve.sharing.endHolding(id, { force: true }),
  "sharing.require": (eve, id) => eve.sharing.require(id, "read"),
  exportSession: (eve, id) => exportSession(eve, id, {}),
};

/** And these say that there is nothing. */
const nothing: Readonly<Record<string, readonly [Act, unknown]>> = {
  exists: [(eve, id) => eve.exists(id), false],
  peek: [(eve, id) => eve.peek(id), undefined],
  find: [(eve, id) => eve.find(id), undefined],
  "find by its agent's id": [(eve) => eve.find("agent-1"), undefined],
  delete: [(eve, id) => eve.delete(id), false],
  remove: [(eve, id) => eve.remove(id, { force: true }), false],
  "trash.find": [(eve, id) => eve.trash.find(id), undefined],
  "trash.restore": [(eve, id) => eve.trash.restore(id), undefined],
  "trash.list": [(eve) => eve.trash.list(), []],
  "trash.count": [(eve) => eve.trash.count(), 0],
  "trash.empty": [(eve) => eve.trash.empty({ forMs: 0 }), 0],
  "originals.of": [(eve, id) => eve.originals.of(id), []],
  "brought.stored": [(eve, id) => eve.brought.stored(id), undefined],
  "brought.knownAs": [(eve) => eve.brought.knownAs("agent-1"), []],
  "sharing.may": [(eve, id) => eve.sharing.may(id, "read"), false],
  list: [async (eve) => (await eve.list({ archived: "include" })).items, []],
  "list by its beginning": [
    async (eve, id) => (await eve.list({ archived: "include", idStartsWith: id })).items,
    [],
  ],
  count: [(eve) => eve.count({ archived: "include" }), 0],
  expire: [(eve) => eve.expire({ idleForMs: 0 }), 0],
  clear: [(eve) => eve.clear(), 0],
  search: [async (eve) => (await searchSessions(eve, secret)).sessions, []],
  usage: [async (eve) => [...(await usageOf(eve)).keys()], []],
  tree: [async (eve) => (await branchesOf(eve).next()).done, true],
};

describe("a stranger", () => {
  it("finds nothing of somebody's sessions by any method of the library, and changes nothing", async () => {
    const ids = await anns();
    const [ann, eve] = [as("ann"), as("eve")];
    const before = JSON.stringify([await store.list({ limit: 1000 })]);
    for (const id of ids) {
      for (const [name, act] of Object.entries(refusing))
        await expect((async () => act(eve, id))(), name).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
      for (const [name, [act, result]] of Object.entries(nothing))
        expect(await act(eve, id), name).toEqual(result);
    }
    expect(JSON.stringify([await store.list({ limit: 1000 })])).toBe(before);
    const stats = await eve.stats();
    expect([stats.sessions, stats.entries]).toEqual([0, 0]);
    // The same methods find them for Ann.
    expect(await ann.count({ archived: "include" })).toBe(2);
    expect(await ann.trash.count()).toBe(1);
  });
});
