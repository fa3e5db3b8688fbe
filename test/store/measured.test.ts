import { describe, expect, it } from "vitest";
import { newSessionId } from "../../src/base/ids.ts";
import { exposition } from "../../src/figures/exposition.ts";
import { Figures } from "../../src/figures/figures.ts";
import type { NewEntry, Store } from "../../src/store/contract.ts";
import { measuring } from "../../src/store/measured.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { defineStore, wrapStore } from "../../src/store/shell.ts";
import { SidecarError } from "../../src/base/errors.ts";
import { familiesIn, valueIn } from "../figures/scrape.ts";
import { thisHolder } from "../../src/session/holder.ts";

const entry = (data: string): NewEntry => ({ kind: "message", atMs: 1, data });

async function written(store: Store) {
  const id = newSessionId();
  const settings = { cwd: "/MARKER", additionalDirectories: [], mcpServerNames: [], agentSessionIds: [] };
  await store.create({ id, createdAtMs: 1, updatedAtMs: 1, ...settings, settings: {}, metadata: {} });
  const taking = { holder: thisHolder(), ttlMs: 1000, mayTake: () => false };
  const { lease } = await store.acquire(id, taking);
  const head = await store.append(id, 0, [entry('{"é":1}'), entry("{}")], lease);
  await store.seal(id, { from: head + 1, head }, [entry("{}")], lease);
  return { id, lease, taking };
}

describe("a store that is measured", () => {
  it("counts what is done, how it ended, and what was written", async () => {
    const figures = new Figures();
    const store = defineStore(measuring(openMemoryStore(), figures));
    const { id } = await written(store);
    await store.get(id);
    for await (const _ of store.read(id)) break;
    await store.flush();
    const other = { holder: { host: "x", pid: 1, startedAt: "1" }, ttlMs: 1000, mayTake: () => false };
    await expect(store.acquire(id, other)).rejects.toMatchObject({ code: "SESSION_BUSY" });
    const text = exposition(figures.snapshot({ gauges: {}, counters: {} }));
    expect(text).not.toContain("MARKER");
    const families = familiesIn(text);
    const count = (operation: string, outcome = "ok") =>
      valueIn(families, "acp_sidecar_store_operations_total", { operation, outcome });
    expect(["append", "seal", "flush", "read", "find", "change", "lease"].map((each) => count(each))).toEqual(
      [1, 1, 1, 1, 1, 1, 1],
    );
    expect(count("lease", "refused")).toBe(1);
    expect(valueIn(families, "acp_sidecar_store_written_entries_total")).toBe(3);
    expect(valueIn(families, "acp_sidecar_store_written_characters_total")).toBe(7 + 2 + 2);
    expect(
      valueIn(families, "acp_sidecar_store_operation_duration_seconds_count", { operation: "append" }),
    ).toBe(1);
  });

  it("tells a medium that fails from a rule that refuses", async () => {
    const figures = new Figures();
    const failing = wrapStore(openMemoryStore(), {
      flush: async () => {
        throw new SidecarError("STORE_FULL", "The disk is full");
      },
      read: async function* () {
        yield [];
        throw new SidecarError("STORE_CORRUPT", "Damage");
      },
    });
    const store = defineStore(measuring(failing, figures));
    await expect(store.flush()).rejects.toMatchObject({ code: "STORE_FULL" });
    const reading = async () => {
      for await (const _ of store.read(newSessionId())) continue;
    };
    await expect(reading()).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    const families = familiesIn(exposition(figures.snapshot({ gauges: {}, counters: {} })));
    const failed = (operation: string) =>
      valueIn(families, "acp_sidecar_store_operations_total", { operation, outcome: "failed" });
    expect([failed("flush"), failed("read")]).toEqual([1, 1]);
    expect(valueIn(families, "acp_sidecar_store_written_entries_total")).toBe(0);
  });
});
