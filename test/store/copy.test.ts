import { describe, expect, it } from "vitest";
import { frozenCopy } from "../../src/store/copy.ts";

describe("a frozen copy", () => {
  it("shares nothing with what it was made of, even if that is frozen on its surface", () => {
    const inside = { list: [1] };
    const copy = frozenCopy(Object.freeze({ inside, none: undefined }));
    inside.list.push(2);
    expect(copy).toStrictEqual({ inside: { list: [1] } });
    expect(Object.isFrozen(copy.inside.list)).toBe(true);
  });

  it("takes a key __proto__ for the data that it is", () => {
    const copy = frozenCopy(JSON.parse('{"__proto__":{"a":1}}') as object);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"a":1}}');
  });
});
