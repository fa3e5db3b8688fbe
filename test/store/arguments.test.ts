import { describe, it } from "vitest";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { untyped } from "../conformance/arguments.ts";

describe("arguments of a store's methods", () => {
  for (const { title, run } of untyped.checks) {
    it(title, async () => {
      const store = openMemoryStore();
      const subject = { name: "memory", open: async () => store, capabilities: store.capabilities };
      await run(store, { subject, reopen: subject.open });
    });
  }
});
