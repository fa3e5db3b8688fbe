import { describe, expect, it } from "vitest";
import { SidecarError } from "../../src/base/errors.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { familiesIn, valueIn } from "../figures/scrape.ts";
import { apiOn } from "./rig.ts";

describe("probes", () => {
  it("say to everybody that it is alive and can serve, and no more than that", async () => {
    const { ask } = await apiOn();
    expect((await ask("GET", "/healthz", { token: "" })).json).toMatchObject({ status: "alive" });
    const ready = await ask("GET", "/readyz", { token: "" });
    expect(ready.status).toBe(200);
    expect(Object.keys(ready.json)).toEqual(["status"]);
    for (const path of ["/metrics", "/api/status"])
      expect((await ask("GET", path, { token: "" })).status, path).toBe(401);
  });

  it("say that it cannot serve, and why to who may know", async () => {
    const away = () => Promise.reject(new SidecarError("STORE_UNAVAILABLE", "The store is away"));
    let isAway = false;
    const inner = openMemoryStore();
    const store = wrapStore(inner, {
      create: (session) => (isAway ? away() : inner.create(session)),
    });
    const { ask, tokenFor } = await apiOn({ store });
    const token = await tokenFor("read");
    isAway = true;
    expect(await ask("GET", "/readyz", { token: "" })).toMatchObject({
      status: 503,
      json: { status: "failed" },
    });
    const { json } = await ask("GET", "/api/status", { token });
    expect(JSON.stringify(json.checks)).toContain("The store is away");
    expect(json).not.toHaveProperty("processes");
    expect((await ask("GET", "/api/status")).json).toHaveProperty("processes");
  });

  it("tell figures in Prometheus' format; how much is stored to who sees all of it", async () => {
    const { raw, ask, tokenFor } = await apiOn();
    await ask("POST", "/api/sessions", { body: { cwd: "/MARKER", title: "MARKER" } });
    const scrape = async (token?: string) => {
      const answer = await raw("GET", "/metrics", token === undefined ? {} : { token });
      expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
      const text = await answer.text();
      expect(text).not.toContain("MARKER");
      return familiesIn(text);
    };
    const all = await scrape();
    expect(valueIn(all, "acp_sidecar_sessions_stored")).toBe(1);
    expect(valueIn(all, "acp_sidecar_entries_stored")).toBe(0);
    const read = await scrape(await tokenFor("read"));
    expect(read.has("acp_sidecar_sessions_stored")).toBe(false);
    expect(read.has("acp_sidecar_turns_total")).toBe(true);
  });

  it("look once for all who ask", async () => {
    let written = 0;
    const inner = openMemoryStore();
    const store = wrapStore(inner, {
      create: (session) => {
        written += 1;
        return inner.create(session);
      },
    });
    const { ask } = await apiOn({ store });
    written = 0;
    await Promise.all(Array.from({ length: 20 }, () => ask("GET", "/readyz", { token: "" })));
    expect(written).toBeLessThanOrEqual(1);
  });
});
