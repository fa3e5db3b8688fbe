import { describe, expect, it } from "vitest";
import { SidecarError } from "../../src/base/errors.ts";
import { exposition } from "../../src/figures/exposition.ts";
import { Figures } from "../../src/figures/figures.ts";
import { httpRoutes } from "../../src/figures/http-labels.ts";
import { routes } from "../../src/http/routes.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { familiesIn, valueIn } from "../figures/scrape.ts";
import { apiOn, type Asking } from "./rig.ts";

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

  it("are nothing for whoever has a link to a session", async () => {
    const { ask, owner } = await apiOn({ identity: "ann" });
    const { id } = await owner.create({ cwd: "/p" });
    const { fragment } = await owner.sharing.links.make(id);
    const token = /token=([^&]+)/.exec(fragment)?.[1] ?? "";
    expect((await ask("GET", `/api/sessions/${id}`, { token })).status).toBe(200);
    for (const path of ["/metrics", "/api/status"])
      expect((await ask("GET", path, { token })).json.code, path).toBe("FORBIDDEN");
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

describe("requests over HTTP", () => {
  it("are counted and timed by route, method and status; nothing that was asked for is a label", async () => {
    const figures = new Figures();
    const { ask, raw, owner } = await apiOn({ meter: figures });
    const { id } = await owner.create({ cwd: "/work" });
    const of = async (method: string, path: string, asking?: Asking) =>
      (await ask(method, path, asking)).status;
    const etag = (await ask("GET", `/api/sessions/${id}`)).headers.get("etag") ?? "";
    expect(await of("GET", `/api/sessions/${id}`, { headers: { "if-none-match": etag } })).toBe(304);
    expect(await of("GET", "/api/sessions/MARKER")).toBe(404);
    expect(await of("GET", "/api/sessions", { token: "" })).toBe(401);
    expect((await raw("HEAD", "/api/sessions")).status).toBe(200);
    expect((await raw("DELETE", "/api/sessions")).status).toBe(405);
    expect((await raw("POST", "/")).status).toBe(405);
    for (const path of ["/MARKER", "/api/sessions/MARKER/MARKER"])
      expect((await raw("GET", path)).status).toBe(404);
    expect((await raw("MARKER", "/healthz")).status).toBe(405);
    expect((await raw("GET", "/healthz", { headers: { host: "MARKER.example" } })).status).toBe(400);
    const text = exposition(figures.snapshot({ gauges: {}, counters: {} }));
    expect(text).not.toMatch(new RegExp(`MARKER|${id}`));
    const families = familiesIn(text);
    const counted = families.get("acp_sidecar_http_requests_total")?.samples ?? [];
    const shown = counted.map(({ labels: { route, method, status }, value }) => [
      route,
      method,
      status,
      value,
    ]);
    expect(shown).toEqual([
      ["/", "other", "4xx", 1],
      ["/api/sessions", "GET", "4xx", 1],
      ["/api/sessions", "HEAD", "2xx", 1],
      ["/api/sessions", "other", "4xx", 1],
      ["/api/sessions/:id", "GET", "2xx", 1],
      ["/api/sessions/:id", "GET", "3xx", 1],
      ["/api/sessions/:id", "GET", "4xx", 1],
      ["/healthz", "other", "4xx", 1],
      ["other", "GET", "4xx", 3],
    ]);
    const timed = (route: string) =>
      valueIn(families, "acp_sidecar_http_request_duration_seconds_count", { route });
    expect(["/api/sessions", "/api/sessions/:id", "other", "/readyz"].map(timed)).toEqual([
      3,
      3,
      3,
      undefined,
    ]);
  });

  it("have a label for every route that there is", () => {
    expect([...new Set(routes.map(({ path }) => path))].sort()).toEqual(
      httpRoutes.filter((each) => each !== "/" && each !== "other"),
    );
  });
});
