import { describe, expect, it } from "vitest";
import { agoText, printable } from "../../src/cli/print.ts";

describe("a time that is past", () => {
  const nowMs = new Date(2026, 5, 15, 12).getTime();
  const minute = 60_000;
  it.each([
    [-5 * minute, "just now"],
    [59_000, "just now"],
    [minute, "1m ago"],
    [59 * minute, "59m ago"],
    [60 * minute, "1h ago"],
    [26 * 60 * minute, "1d ago"],
    [99 * 24 * 60 * minute, "99d ago"],
    [365 * 24 * 60 * minute, "2025-06-15"],
  ])("%i ms ago is %j", (ms, text) => expect(agoText(nowMs - ms, nowMs)).toBe(text));
});

describe("what a terminal would obey", () => {
  it.each([
    ["\u001b[31m", "\\u001b[31m"],
    ["a\r\nb\rc", "a\nb\\u000dc"],
    ["\u202eevil\u2066", "\\u202eevil\\u2066"],
    ["\ud83d half", "\\ud83d half"],
    ["漢字 👩‍👩‍👧 e\u0301\ttab", "漢字 👩‍👩‍👧 e\u0301\ttab"],
  ])("%j is shown as %j", (text, shown) => expect(printable(text)).toBe(shown));
});
