/** `acp-sidecar http` as a process: that it is put together as its parts are tested. */
import { writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { machineSnapshot } from "../../src/local/machine.ts";
import { familiesIn, valueIn } from "../figures/scrape.ts";
import { receiver } from "../notify/receiver.ts";
import { useHarness } from "./harness/harness.ts";
import { httpServer } from "./harness/http-server.ts";
import { fixtureCommand } from "./harness/paths.ts";

const harness = useHarness();

/** A server that is told to end at the end of `use`, and what it takes to ask it. */
async function withServer(
  args: readonly string[],
  use: (server: {
    readonly ask: (path: string, body?: object) => Promise<Response>;
    readonly figures: () => Promise<ReturnType<typeof familiesIn>>;
    readonly home: string;
  }) => Promise<void>,
): Promise<Readonly<Record<string, string>>> {
  const server = await httpServer(harness, { store: harness.storeUrl(), args });
  try {
    const ask = (path: string, body?: object) =>
      fetch(server.url + path, {
        headers: server.headers,
        ...(body && { method: "POST", body: JSON.stringify(body) }),
      });
    const figures = async () => familiesIn(await (await ask("/metrics")).text());
    await use({ ask, figures, home: server.home });
  } finally {
    expect(await server.end()).toBe(0);
  }
  return server.own;
}

it("hooks are told what is done over HTTP, and requests and notifications are among the figures", async () => {
  await using receiving = await receiver();
  const config = harness.path("config.json");
  writeFileSync(config, JSON.stringify({ hooks: [{ on: ["session.created"], post: receiving.url }] }));
  await withServer(["--config", config], async ({ ask, figures, home }) => {
    expect((await ask("/api/sessions", { cwd: home })).status).toBe(201);
    const [told] = await receiving.count(1);
    expect(told?.body).toMatchObject({ event: "session.created" });
    await expect
      .poll(async () => {
        const families = await figures();
        const of = (name: string, labels: Record<string, string>) => valueIn(families, name, labels);
        return [
          of("acp_sidecar_notifications_total", { outcome: "taken" }),
          of("acp_sidecar_http_requests_total", { route: "/api/sessions", status: "2xx" }),
          of("acp_sidecar_processes", {}),
          // The session was made by the server itself, and not by an agent's turn.
          (of("acp_sidecar_store_operations_total", { operation: "change", outcome: "ok" }) ?? 0) > 0,
          (of("acp_sidecar_store_operation_duration_seconds_count", { operation: "other" }) ?? 0) > 0,
        ];
      })
      .toEqual([1, 1, 1, true, true]);
  });
}, 30_000);

it("a turn that ends because its server ends is among the figures that stay", async () => {
  const env = await withServer(["--", ...fixtureCommand(["agent.mjs"])], async ({ ask, figures, home }) => {
    const { id } = (await (await ask("/api/sessions", { cwd: home })).json()) as { id: string };
    void ask(`/api/sessions/${id}/prompt`, { prompt: "until-cancel" }).catch(() => undefined);
    await expect.poll(async () => valueIn(await figures(), "acp_sidecar_turns_running")).toBe(1);
  });
  const { counters, gauges } = await machineSnapshot({ env });
  expect(counters["turns"]).toEqual({ cancelled: 1 });
  expect(gauges).toEqual({ silent: 0 });
  // Each once, though the turn's sidecar stands on the store of the server.
  expect(counters["storeOperations"]).toMatchObject({ "seal ok": 1 });
}, 30_000);
