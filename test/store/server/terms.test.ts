import { describe, expect, it } from "vitest";
import { termsOfFilter } from "../../../src/store/server/terms.ts";

describe("terms to search by", () => {
  it("tell values of different kinds and types apart", () => {
    const filters = [
      { metadata: { a: 1 } },
      { metadata: { a: "1" } },
      { metadata: { a: true } },
      { metadata: { a: "true" } },
      { agentSessionId: "x" },
      { cwd: "x" },
      { metadata: { cwd: "x" } },
    ];
    expect(new Set(filters.flatMap(termsOfFilter)).size).toBe(filters.length);
  });
});
