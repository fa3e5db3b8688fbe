import { describe, expect, it } from "vitest";
import { withSessionIds } from "../../src/acp/ids.ts";

describe("a result that names a session", () => {
  it("names it by our id where it is ours, and is left alone where not", () => {
    const ours = (id: string) => (id === "a" ? "ours" : undefined);
    expect(withSessionIds({ sessionId: "a", x: 1 }, ours)).toEqual({ sessionId: "ours", x: 1 });
    for (const other of [{ sessionId: "b" }, { sessionId: 5 }, null, "a", [{ sessionId: "a" }]]) {
      expect(withSessionIds(other, ours)).toBe(other);
    }
  });
});
