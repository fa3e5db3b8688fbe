import { describe, expect, it } from "vitest";
import { readAhead } from "../../src/store/reading.ts";

describe("pages read ahead", () => {
  it("are fetched one ahead from the second on, and fail in their turn", async () => {
    let fetched = 0;
    const pages = readAhead(async () => {
      fetched += 1;
      if (fetched === 4) throw new Error("page 4");
      return fetched;
    });
    expect((await pages.next()).value).toBe(1);
    expect(fetched).toBe(1);
    expect((await pages.next()).value).toBe(2);
    expect(fetched).toBe(3);
    expect((await pages.next()).value).toBe(3);
    await expect(pages.next()).rejects.toThrow("page 4");
  });
});
