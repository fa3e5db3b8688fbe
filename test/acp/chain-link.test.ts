/** A link of the integrity chain is found where it stands, whatever is before it, and nothing that only looks like one. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linkIn, mayCarryLink, withLink, withoutLink, type ChainLink } from "../../src/acp/chain-link.ts";
import { anyDraw, spelled } from "../session/any-spelling.ts";

const link: ChainLink = {
  sha256: "0123456789abcdef".repeat(4),
  from: 1,
  through: 20,
  begins: false,
  marks: "abc-_Z09",
};
const widest: ChainLink = {
  sha256: "f".repeat(64),
  from: Number.MAX_SAFE_INTEGER,
  through: Number.MAX_SAFE_INTEGER,
  begins: true,
  marks: "-".repeat(10_923),
};
const long = JSON.stringify({ content: [{ type: "text", text: "{".repeat(20_000) }], more: { last: "x" } });
const bodies = ["{}", '{"result":{"stopReason":"end_turn"}}', '{"a":{"marks":""}}', long];

describe("a link", () => {
  it.each(bodies)("is found behind what was there, which is the same without it (%#)", (data) => {
    for (const each of [link, widest, { ...link, marks: "" }]) {
      const entry = { kind: "end", atMs: 1, data } as const;
      const carrying = withLink(entry, each);
      expect(JSON.parse(carrying.data)).toMatchObject(JSON.parse(data) as object);
      expect(linkIn(carrying)).toEqual(each);
      expect(withoutLink(carrying)).toBe(data);
      // The newest one counts, and stands in the place of the one before.
      expect(linkIn(withLink(carrying, link))).toEqual(link);
    }
  });

  it("is found in all that may carry one, however that is written", () => {
    const value = fc.oneof(fc.constant({}), fc.dictionary(fc.string(), fc.jsonValue()));
    fc.assert(
      fc.property(value, anyDraw, fc.constantFrom("", " ", "\n"), (said, draw, space) => {
        const written = spelled(said, draw).trim();
        const data = written === "{}" ? `{${space}}` : written;
        const entry = { kind: "setting", atMs: 1, data } as const;
        expect(withoutLink(entry)).toBe(data);
        if (!mayCarryLink(entry)) return;
        expect(linkIn(withLink(entry, link))).toEqual(link);
        expect(withoutLink(withLink(entry, link))).toBe(data);
      }),
      { numRuns: 300 },
    );
  });

  it("is not found in what only ends as one, in the middle, or in what others said", () => {
    const { data } = withLink({ kind: "end", atMs: 1, data: "{}" }, link);
    const wrong = [
      '"}}',
      ',"marks":"}}',
      '{"marks":"abc"}}',
      '{"a":{"sha256":"0","marks":"abc"}}',
      `${data.slice(0, -1)},"b":{"c":"d"}}`,
      data.replace('"from":1', '"from":"1"'),
      data.replace("0123", "012"),
      data.replace('"acp-sidecar.chain"', '"acp-sidecar_chain"'),
      data.replace('{"acp', '["acp'),
      long,
    ];
    for (const each of wrong) {
      expect(linkIn({ kind: "end", data: each }), each.slice(-200)).toBeUndefined();
      expect(withoutLink({ kind: "end", data: each })).toBe(each);
    }
    expect(linkIn({ kind: "update", data })).toBeUndefined();
  });
});
