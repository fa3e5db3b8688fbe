import { describe, expect, it } from "vitest";
import { familiesOf } from "../../../src/history/import/families.ts";

describe("families of sessions", () => {
  const one = (id: string, parentId?: string) => ({ id, parentId });
  const shown = (all: readonly ReturnType<typeof one>[]) =>
    familiesOf(all).map(({ root, subagents }) => [root.id, ...subagents.map(({ id }) => id)].join(" "));

  it("have one root each, in whichever order they are found", () => {
    const all = [one("d", "c"), one("c", "b"), one("a"), one("b", "a"), one("e", "lost")];
    expect(shown(all)).toEqual(["a d c b", "e"]);
    expect(shown(all.toReversed())).toEqual(["e", "a b c d"]);
  });

  it("in a circle have none: nobody is lost", () => {
    const all = [one("a", "b"), one("b", "a"), one("c", "c"), one("d", "a")];
    expect(shown(all).join(" ").split(" ").sort()).toEqual(["a", "b", "c", "d"]);
  });

  it("are found in linear time, however deep", () => {
    const deep = Array.from({ length: 20_000 }, (_, at) => one(`${at}`, at === 0 ? undefined : `${at - 1}`));
    expect(familiesOf(deep.toReversed())).toHaveLength(1);
    expect(familiesOf(deep)).toHaveLength(1);
  });
});
