import { describe, expect, it } from "vitest";
import { RecentMap } from "../../src/base/recent-map.ts";

describe("a map of what is recent", () => {
  it("keeps what was used last, and forgets the rest", () => {
    const map = new RecentMap<string, number>(10);
    for (let n = 0; n < 100; n += 1) {
      map.set(`${n}`, n);
      expect(map.get("0")).toBe(0);
    }
    expect([map.get("99"), map.get("97"), map.get("50")]).toEqual([99, 97, undefined]);
    map.delete("99");
    expect(map.get("99")).toBeUndefined();
    map.clear();
    expect(map.get("0")).toBeUndefined();
  });
});
