import { describe, expect, it } from "vitest";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { aSession, rejectsWith } from "../../conformance/samples.ts";

describe("the memory store's capacity", () => {
  it("refuses one session more and takes it when another has been deleted", async () => {
    const store = openMemoryStore({ capacity: 2 });
    const { id } = await store.create(aSession());
    await store.create(aSession());
    await rejectsWith("STORE_FULL", store.create(aSession()));
    expect(await store.count()).toBe(2);
    await store.delete(id);
    await store.create(aSession());
    expect(await store.count()).toBe(2);
    await store.close();
  });
});
