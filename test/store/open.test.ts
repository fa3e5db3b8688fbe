import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openStore } from "../../src/store/open.ts";
import { aSession, rejectsWith } from "../conformance/samples.ts";

describe("opening a store by its URL", () => {
  it("opens a memory store, with a capacity if one is given", async () => {
    const store = await openStore("memory:");
    expect(store.name).toBe("memory");
    await store.close();
    const small = await openStore("MEMORY:?capacity=1");
    await small.create(aSession());
    await rejectsWith("STORE_FULL", small.create(aSession()));
    await small.close();
  });

  it("opens a SQLite store by an absolute path, also one after two slashes", async () => {
    const directory = await mkdtemp(join(tmpdir(), "acp-sidecar-open-"));
    for (const [url, file] of [
      [`sqlite:${directory}/a b.db`, "a b.db"],
      [`sqlite://${directory}/c%20d.db`, "c%20d.db"],
    ] as const) {
      const store = await openStore(url);
      expect(store.name).toBe("sqlite");
      await store.close();
      expect((await stat(join(directory, file))).isFile()).toBe(true);
    }
    await rm(directory, { recursive: true });
  });

  // Only Linux has a /proc, in which nothing can be made.
  it.skipIf(process.platform !== "linux")("gives up at once where no directory can be made", async () => {
    // Nothing can be made in /proc, and the system calls it missing.
    for (const url of ["sqlite:/proc/nowhere/deep/a.db", "file:/proc/nowhere/deep"]) {
      const opening = openStore(url);
      await rejectsWith("STORE_UNAVAILABLE", opening);
      await expect(opening).rejects.toThrow(/^[^\n]*\/proc\/nowhere[^\n]*$/);
    }
  });

  it("refuses an unknown scheme by its name, and says what there is", async () => {
    const opening = openStore("mongodb://user:hunter2@host/db");
    await rejectsWith("CONFIG_INVALID", opening);
    await expect(opening).rejects.toThrow(/"mongodb:".*memory:.*sqlite:PATH/);
    await expect(opening).rejects.not.toThrow(/hunter2/);
    await rejectsWith("CONFIG_INVALID", openStore("constructor:x"));
  });

  it("refuses what names no store, without repeating it", async () => {
    for (const url of [
      "",
      "/tmp/secret.db",
      "user:hunter2@host",
      "sqlite:",
      "sqlite://host/secret",
      "memory:x",
    ]) {
      const opening = openStore(url);
      await rejectsWith("CONFIG_INVALID", opening);
      await expect(opening).rejects.not.toThrow(/hunter2|secret/);
    }
  });
});
