/** A long line of forks costs a read and a fork what they need of it, and no more. */
import { expect, it } from "vitest";
import { statements } from "../../../src/store/sql/sqlite/statements.ts";
import { aSession, entriesOf, leaseOf, someEntries } from "../../conformance/samples.ts";
import { sqliteSandbox } from "./sqlite/sandbox.ts";

const { newPath, open, raw } = sqliteSandbox();

it("a chain of journals is gone through as far as the entries that are asked for", async () => {
  const path = newPath();
  const store = await open(path);
  const depth = 50;
  let { id } = await store.create(aSession());
  for (let seq = 1; seq <= depth; seq += 1) {
    await store.seal(id, { from: seq, head: seq - 1 }, someEntries(1, seq), await leaseOf(store, id));
    if (seq < depth) ({ id } = await store.create(aSession({ lineage: { parentId: id, atSeq: seq } })));
  }
  const chain = raw(path).prepare(statements.chain.text);
  const links = [depth, depth - 1, depth - 9, 1].map((from) => chain.all({ 1: id, 2: from }).length);
  expect(links).toEqual([1, 2, 10, depth]);
  expect((await entriesOf(store, id)).map(({ seq }) => seq)).toEqual(
    someEntries(depth).map((_, index) => index + 1),
  );
});
