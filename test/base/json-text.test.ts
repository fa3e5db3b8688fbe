import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  eachMember,
  endOfString,
  itemsOf,
  jsonTextOf,
  membersOf,
  objectText,
} from "../../src/base/json-text.ts";

const spaces = fc.constantFrom(undefined, 1, "\t", "\n");

describe("a JSON text", () => {
  it("is taken apart as JSON.parse would, whatever stands in it and between it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.string(), spaces, (a, b, name, space) => {
        const object = JSON.stringify({ [name]: a, last: b }, null, space);
        const members = [...membersOf(` ${object} `)].map(([key, text]) => [
          key,
          JSON.parse(text) as unknown,
        ]);
        expect(Object.fromEntries(members)).toEqual(JSON.parse(object));
        expect(JSON.parse(objectText(membersOf(object)))).toEqual(JSON.parse(object));
        const array = JSON.stringify([a, b, name], null, space);
        expect(itemsOf(array).map((text) => JSON.parse(text) as unknown)).toEqual(JSON.parse(array));
      }),
      { numRuns: 500 },
    );
  });

  it("is written as JSON.stringify would, and of what is too deep for that, too", () => {
    const deep = `${'{"a":[1,'.repeat(50_000)}{"b":"c"}${"]}".repeat(50_000)}`;
    expect(jsonTextOf(JSON.parse(deep)) === deep).toBe(true);
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, name) => {
        const inner = JSON.parse(JSON.stringify({ [name]: [value, {}, [], null] })) as unknown;
        const [head, tail] = ["[".repeat(20_000), "]".repeat(20_000)];
        const whole = JSON.parse(`${head}0${tail}`) as unknown[];
        let innermost = whole;
        while (Array.isArray(innermost[0])) innermost = innermost[0] as unknown[];
        innermost[0] = inner;
        expect(jsonTextOf(whole) === `${head}${JSON.stringify(inner)}${tail}`).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it("keeps its values to the letter, and of two with one name the last", () => {
    expect([...membersOf('{"a": 1.50, "\\u0062":[ 1e999 ],"a":-0}')]).toEqual([
      ["a", "-0"],
      ["b", "[ 1e999 ]"],
    ]);
    expect([...membersOf("{}"), ...itemsOf("[ ]")]).toEqual([]);
  });

  it("is read no further than is asked for", () => {
    const read: string[] = [];
    eachMember('{"a":1,"b":', (name, value) => read.push(name, value) > 0);
    expect(read).toEqual(["a", "1"]);
  });

  it("that is cut short ends where it ends", () => {
    const whole = '{"a":[1,{"b":"c\\"d"}],"e":"f"}';
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => [...membersOf(whole.slice(0, length)), ...itemsOf(whole.slice(5, length))]).not.toThrow();
    }
  });
});

describe("a string in a JSON text", () => {
  it("ends at the first quote that is not escaped, however many backslashes stand before it", () => {
    for (let count = 0; count < 6; count += 1) {
      const text = `${"\\".repeat(count)}" "`;
      expect(endOfString(text, 0)).toBe(count % 2 === 0 ? count : text.length - 1);
    }
    expect(endOfString("abc", 0)).toBe(-1);
  });
});
