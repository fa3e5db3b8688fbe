import { describe, expect, it } from "vitest";
import { meantBy, suggestion } from "../../src/base/likeness.ts";

const words = ["sessions", "serve", "migrate", "verify", "doctor", "demo", "config"];

describe("what somebody meant", () => {
  it.each([
    ["sesions", "sessions"],
    ["docotr", "doctor"],
    ["VERIFY", "verify"],
    ["demi", "demo"],
    ["migr", "migrate"],
    ["frobnicate", undefined],
    ["xy", undefined],
    ["", undefined],
  ])("%j is %j", (word, meant) => expect(meantBy(word, words)).toBe(meant));

  it("costs little however long the word is", () => {
    expect(meantBy("s".repeat(10_000_000), words)).toBeUndefined();
  });

  it("is said, or nothing is", () => {
    expect(suggestion("demmo", words)).toBe("; did you mean demo?");
    expect(suggestion("opencode", words)).toBe("");
  });
});
