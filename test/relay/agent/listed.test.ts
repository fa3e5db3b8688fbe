import { afterEach, describe, expect, it, vi } from "vitest";
import type { Store } from "../../../src/store/contract.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { initialized, rig } from "../rig.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("a long list of an agent's own sessions", () => {
  it("is compared with the store many at a time: one by one a network's store would take longer than the list may", async () => {
    const memory = openMemoryStore();
    let [asked, most] = [0, 0];
    const list: Store["list"] = async (query) => {
      most = Math.max(most, (asked += 1));
      await new Promise((resolve) => setImmediate(resolve));
      asked -= 1;
      return memory.list(query);
    };
    const store = new Proxy(memory, {
      get: (inner, name) => {
        if (name === "list") return list;
        const value: unknown = Reflect.get(inner, name, inner);
        return typeof value === "function" ? (value.bind(inner) as unknown) : value;
      },
    });
    const sessions = Array.from({ length: 60 }, (_, at) => ({ sessionId: `theirs-${at}`, cwd: "/work" }));
    const initialize = initialized({ list: {} });
    const relay = await rig({ store, script: { initialize, "session/list": () => ({ sessions }) } });
    expect(await relay.client.request("session/list", {})).toMatchObject({ sessions });
    expect(most).toBe(25);
    await relay.close();
  });
});
