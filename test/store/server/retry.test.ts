import { describe, expect, it } from "vitest";
import { Retrier, type Setback } from "../../../src/store/server/retry.ts";

describe("second tries", () => {
  const trying = (setback: Setback, retryForMs: number, failures: number) => {
    const retrier = new Retrier({ retryForMs, setback: () => setback });
    const uncertain: boolean[] = [];
    const result = retrier.run(async (attempt) => {
      uncertain.push(attempt.uncertain);
      if (uncertain.length <= failures) throw new Error("failed");
      return "done";
    });
    return { result, uncertain };
  };

  it("tell a task whether an earlier try may have taken effect", async () => {
    const lost = trying("lost", 10_000, 2);
    expect([await lost.result, lost.uncertain]).toEqual(["done", [false, true, true]]);
    const again = trying("again", 0, 2);
    expect([await again.result, again.uncertain]).toEqual(["done", [false, false, false]]);
  });

  it("are not made when there is no use in them, or no more time", async () => {
    for (const { result, uncertain } of [trying("final", 10_000, 1), trying("away", 0, 1)]) {
      await expect(result).rejects.toThrow("failed");
      expect(uncertain).toEqual([false]);
    }
  });
});
