import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { IdTable } from "../../../src/history/import/claude/id-table.ts";

it("a table of ids knows each by its own number, however many and however alike", () => {
  const table = new IdTable();
  const ids = [
    ...Array.from({ length: 60_000 }, (_, at) => `u${at}`),
    ...Array.from({ length: 60_000 }, () => randomUUID()),
    "",
    "\0",
    "a".repeat(10_000),
  ];
  for (const [at, id] of ids.entries()) table.set(id, at);
  table.set("u7", 2 ** 52 + 1);
  const wrong = ids.filter((id, at) => table.get(id) !== (at === 7 ? 2 ** 52 + 1 : at));
  expect(wrong).toEqual([]);
  for (const id of ["u60000", "U1", "a", randomUUID()]) expect(table.get(id)).toBeUndefined();
});
