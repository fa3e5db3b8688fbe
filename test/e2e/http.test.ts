/** `acp-sidecar http` as a process: that it is put together as its parts are tested. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { familiesIn, valueIn } from "../figures/scrape.ts";
import { receiver } from "../notify/receiver.ts";
import { useHarness } from "./harness/harness.ts";
import { sidecarBin } from "./harness/paths.ts";

const harness = useHarness();

it("hooks are told what is done over HTTP, and requests and notifications are among the figures", async () => {
  await using server = await receiver();
  const [config, home] = [harness.path("config.json"), harness.path("home")];
  mkdirSync(home, { mode: 0o700 });
  writeFileSync(config, JSON.stringify({ hooks: [{ on: ["session.created"], post: server.url }] }));
  const store = harness.storeUrl();
  const env = {
    ...process.env,
    HOME: home,
    XDG_STATE_HOME: home,
    XDG_CACHE_HOME: home,
    XDG_RUNTIME_DIR: home,
  };
  const made = await harness.cli(
    ["token", "create", "--name", "t", "--scope", "admin", "--json", "--store", store],
    { env },
  );
  const { secret } = JSON.parse(made.stdout) as { secret: string };
  const args = ["http", "--listen", "127.0.0.1:0", "--store", store, "--config", config];
  const child = spawn(process.execPath, [sidecarBin, ...args], { env, stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [said] = (await once(child.stdout, "data")) as [Buffer];
    const [url = ""] = /http:\S+(?=\/)/.exec(String(said)) ?? [];
    const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
    const body = JSON.stringify({ cwd: home });
    expect((await fetch(`${url}/api/sessions`, { method: "POST", headers, body })).status).toBe(201);
    const [told] = await server.count(1);
    expect(told?.body).toMatchObject({ event: "session.created" });
    await expect
      .poll(async () => {
        const families = familiesIn(await (await fetch(`${url}/metrics`, { headers })).text());
        const of = (name: string, labels: Record<string, string>) => valueIn(families, name, labels);
        return [
          of("acp_sidecar_notifications_total", { outcome: "taken" }),
          of("acp_sidecar_http_requests_total", { route: "/api/sessions", status: "2xx" }),
        ];
      })
      .toEqual([1, 1]);
  } finally {
    child.kill("SIGTERM");
    const [status] = (await once(child, "exit")) as [number];
    expect(status).toBe(0);
  }
}, 30_000);
