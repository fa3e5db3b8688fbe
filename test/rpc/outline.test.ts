import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Outline } from "../../src/rpc/outline.ts";

/** What is to be left of a value on this level. */
function left(value: unknown, level = 1): unknown {
  if (typeof value === "string") return Buffer.byteLength(JSON.stringify(value)) <= 200 ? value : undefined;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value) || level > 3) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, left(each, level + 1)]));
}

function outlineOf(text: string, pieceBytes = 7): unknown {
  const outline = new Outline();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) outline.add(bytes.subarray(at, at + pieceBytes));
  return JSON.parse(JSON.stringify(outline.fields));
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("the outline of a message", () => {
  it("has its first levels and no long value, however it is cut and written", () => {
    const strings = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom('"', "\\", '\\"', '{"id":7}', "\\\\", "x".repeat(198), "x".repeat(199)),
    );
    const names = fc
      .oneof(strings, fc.constantFrom("id", "method", "params"))
      .filter((name) => name !== "__proto__" && JSON.stringify(name).length < 50);
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.oneof(strings, fc.integer(), fc.boolean(), fc.constant(null)),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(names, tie("value"), { maxKeys: 4 }),
      ),
    }));
    const spaces = fc.constantFrom(undefined, 1, "\t");
    fc.assert(
      fc.property(
        fc.dictionary(names, value, { maxKeys: 4 }),
        spaces,
        fc.integer({ min: 1, max: 30 }),
        (message, space, size) => {
          expect(outlineOf(JSON.stringify(message, undefined, space), size)).toEqual(plain(left(message)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("knows of a member that is there, though its value is not kept", () => {
    const outline = new Outline();
    outline.add(
      Buffer.from(`{"result":{"a":{"b":{"c":1}},"long":"${"x".repeat(300)}"},"list":[1],"id":"a"}`),
    );
    expect(Object.keys(outline.fields)).toEqual(["result", "list", "id"]);
  });

  it("is made of the last of two members with one name, as JSON.parse does", () => {
    expect(outlineOf('{"id":1,"i\\u0064":2}')).toEqual({ id: 2 });
  });

  it("costs no more than its bytes, whatever they are, and holds nothing", () => {
    const outline = new Outline();
    outline.add(Buffer.from('{"a":'));
    const pieces = ["[".repeat(1 << 20), '\\"'.repeat(1 << 20), "\\".repeat(1 << 20), "}:,".repeat(1 << 20)];
    const before = process.memoryUsage().arrayBuffers;
    for (const piece of pieces) for (let n = 0; n < 8; n += 1) outline.add(Buffer.from(piece));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
    expect(outline.fields).toEqual({ a: undefined });
  });
});
