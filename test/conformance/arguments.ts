/** Callers without types get a refusal that names what is wrong, alike from every store. */
import assert from "node:assert/strict";
import type { Entry, Store } from "../../src/store/contract.ts";
import type { Capability } from "./check.ts";
import {
  aJournal,
  anEntry,
  aRequest,
  aSession,
  assertJournal,
  listAll,
  mustGet,
  refusalData,
  rejectsWith,
  someEntries,
} from "./samples.ts";

const given = aSession();
const { id } = given;
const lease = {
  sessionId: id,
  holder: aRequest().holder,
  ttlMs: 1000,
  fence: 1,
  sinceMs: 0,
  expiresAtMs: 1000,
  turnRunning: false,
};
const entry = anEntry("x");
const notObjects = [null, 5, "x", []];
const circular: Record<string, unknown> = {};
circular["itself"] = circular;

/** A method, and arguments of which one is wrong. */
type Call = readonly [method: keyof Store, ...args: readonly unknown[]];

const wrong: readonly Call[] = [
  ...[undefined, null, 5, {}, [id]].flatMap((each): Call[] => [
    ["get", each],
    ["delete", each],
    ["update", each, {}],
    ["read", each],
    ["acquire", each, aRequest()],
    ["append", each, 0, [entry], lease],
    ["seal", each, { from: 1, head: 0 }, [entry], lease],
    ["create", { ...given, id: each }],
    ["append", id, 0, each, lease],
    ["append", id, 0, [entry, each], lease],
    ["seal", id, { from: 1, head: 0 }, [each], lease],
    ["append", id, 0, [{ ...entry, data: each }], lease],
    ["append", id, 0, [entry], each],
    ["renew", each],
    ["release", each],
    ["acquire", id, { ...aRequest(), holder: each }],
  ]),
  ...notObjects.flatMap((each): Call[] => [
    ["create", each],
    ["create", { ...given, metadata: each }],
    ["create", { ...given, settings: each }],
    ["create", { ...given, lineage: each }],
    ["update", id, each],
    ["update", id, {}, each],
    ["list", each],
    ["count", each],
    ["list", { metadata: each }],
    ["read", id, each],
    ["acquire", id, each],
    ["seal", id, each, [entry], lease],
  ]),
  ["create", { ...given, id: "../../somewhere-else-entirely" }],
  ["create", { ...given, updatedAtMs: "today" }],
  ["create", { ...given, cwd: undefined }],
  ["create", { ...given, agentSessionIds: ["a", 5] }],
  ["create", { ...given, metadata: { a: {} } }],
  ["create", { ...given, metadata: { a: NaN } }],
  ["create", { ...given, agent: { info: circular } }],
  ["create", { ...given, settings: { configOptions: { size: 5n } } }],
  ["update", id, { title: 5 }],
  ["update", id, { client: { capabilities: circular } }],
  ["list", { cursor: 5 }],
  ["list", { limit: "many" }],
  ["count", { updatedBeforeMs: "today" }],
  ["read", id, { from: "1" }],
  ["append", id, "0", [entry], lease],
  ["append", id, 0, [{ ...entry, kind: "two words" }], lease],
  ["append", id, 0, [{ ...entry, atMs: NaN }], lease],
  ["append", id, 0, [entry], { ...lease, ttlMs: "1000" }],
  ["seal", id, { from: 1 }, [entry], lease],
  ["acquire", id, { ...aRequest(), mayTake: true }],
];

async function called(store: Store, [method, ...args]: Call): Promise<unknown> {
  const result = (store[method] as (...all: readonly unknown[]) => unknown)(...args);
  if (method !== "read") return result;
  const pages: unknown[] = [];
  for await (const page of result as AsyncIterable<readonly Entry[]>) pages.push(page);
  return pages;
}

export const untyped: Capability = {
  name: "arguments",
  checks: [
    {
      title:
        "are refused with INVALID_PARAMS when they are not what the contract's types say, and change nothing",
      run: async (store) => {
        const sound = await aJournal(store, 3);
        const before = await mustGet(store, sound.id);
        for (const [method, ...args] of wrong) {
          const own = args.map((arg) => (arg === id ? sound.id : arg));
          await rejectsWith("INVALID_PARAMS", called(store, [method, ...own]));
        }
        assert.deepEqual(await mustGet(store, sound.id), before);
        await assertJournal(store, sound.id, someEntries(3));
        assert.equal((await listAll(store)).length, 1);
      },
    },
    {
      title: "are named by the refusal",
      run: async (store) => {
        const refused = store.create({ ...given, metadata: { a: {} as never } });
        assert.deepEqual(await refusalData(refused), { at: "each of session.metadata" });
      },
    },
  ],
};
