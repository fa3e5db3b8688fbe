/** What somebody outside makes a store of: only what the library exports. */
import { expect, it } from "vitest";
import { decodeCursor, encodeCursor, openStore, pageOf, takeLease, wrapStore } from "../../src/index.ts";
import { aJournal, aRequest, aSession, noon } from "../conformance/samples.ts";

it("wraps a store as the documentation shows", async () => {
  const inner = await openStore("memory:");
  let seen = 0;
  const store = wrapStore(inner, {
    append: async (id, after, entries, lease) => {
      seen += entries.length;
      return inner.append(id, after, entries, lease);
    },
  });
  await aJournal(store, 3);
  expect(seen).toBe(3);
  await store.close();
});

it("gives the rules and lists that a driver stands on", () => {
  const session = aSession();
  expect(pageOf([session], { cwd: session.cwd }).items).toEqual([session]);
  const place = { updatedAtMs: noon, id: session.id };
  expect(decodeCursor(encodeCursor(place))).toEqual(place);
  expect(takeLease(session.id, { lease: undefined, fence: 0 }, aRequest(), noon).lease.fence).toBe(1);
});
