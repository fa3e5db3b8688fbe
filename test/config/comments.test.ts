import { describe, expect, it } from "vitest";
import { withoutComments } from "../../src/config/comments.ts";

const read = (text: string): unknown => JSON.parse(withoutComments(text));

describe("comments in the configuration file", () => {
  it("are no part of it, nor is a comma behind the last value", () => {
    expect(read('// one\n{ "a": 1, /* two\n three */ "b": [1, 2, ], // "c": 3,\n}')).toEqual({
      a: 1,
      b: [1, 2],
    });
  });

  it("are none within texts", () => {
    const value = { url: "redis://host/*x*/", quote: '"// no", }', slash: "\\" };
    expect(read(JSON.stringify(value))).toEqual(value);
  });

  it("leave every place where it was", () => {
    const text = '{\n  // müde\n  "a": /* x */ 1,\n}';
    expect(withoutComments(text)).toHaveLength(text.length);
    expect(withoutComments(text).split("\n")).toHaveLength(4);
  });

  it("make no JSON of what is none", () => {
    for (const text of ['{"a": 1,, }', "{,}", '{"a": "', "/* open", "[1 // x"])
      expect(() => read(text)).toThrow(SyntaxError);
  });

  it("take time that grows with the text and not with its square", () => {
    expect(withoutComments("/".repeat(200_000)).trim()).toBe("");
    expect(withoutComments("/* ".repeat(100_000)).trim()).toBe("");
    expect(withoutComments('"'.repeat(200_001))).toHaveLength(200_001);
  });
});
