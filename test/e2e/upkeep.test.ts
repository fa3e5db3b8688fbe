/** Upkeep of programs as they are run: behind a sidecar that serves, and killed in the middle. */
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, watch, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import { end, prompt, say } from "../history/talk.ts";
import { useHarness } from "./harness/harness.ts";
import { sidecarBin } from "./harness/paths.ts";

const harness = useHarness();

function configured(store: string, more: object = {}) {
  const folder = harness.path("copies");
  mkdirSync(folder);
  const config = harness.path("config.json");
  const backup = { to: `sqlite:${join(folder, "copy.db")}`, every: "1h", keep: 3 };
  writeFileSync(config, JSON.stringify({ store, backup, ...more }));
  const env = { XDG_STATE_HOME: join(harness.dir, "state"), XDG_CACHE_HOME: join(harness.dir, "cache") };
  return { folder, config, env };
}

it("a sidecar that has nothing to do looks after its store, and ends as quickly as ever [REQ upkeep]", async () => {
  const store = harness.storeUrl();
  const { folder, config, env } = configured(store, { upkeepInterval: "1s" });
  const client = await harness.connect({ store, args: ["--config", config], env });
  await vi.waitFor(() => expect(readdirSync(folder)).toEqual([expect.stringMatching(/^copy\.\w+\.db$/)]), {
    timeout: 20_000,
    interval: 50,
  });
  const { sessionId } = await client.newSession(harness.project());
  expect((await client.prompt(sessionId, "hello")).stopReason).toBe("end_turn");
  await harness.stop(client.program);
  expect(client.program.stderr).toBe("");
}, 30_000);

it("a round that is killed in the middle of a backup leaves a store that is whole, and the next does all of it", async () => {
  const store = harness.storeUrl();
  {
    await using opened = await openStore(store);
    const registry = new SessionRegistry({ store: opened });
    const { id } = await registry.create({ cwd: "/work" });
    const { journal } = await registry.open(id);
    for (let n = 0; n < 12; n += 1) await journal.seal([prompt("x"), say(`${n}`.repeat(1 << 20)), end()]);
    await journal.release();
    await registry.close();
  }
  const { folder, config, env } = configured(store);
  const args = [sidecarBin, "upkeep", "--config", config];
  const begun = new Promise<void>((resolve) => {
    const watcher = watch(folder, (_, name) => {
      if (name?.endsWith(".partial") !== true) return;
      watcher.close();
      resolve();
    });
  });
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: "ignore" });
  const exited = once(child, "exit");
  await begun;
  child.kill("SIGKILL");
  expect((await exited)[1]).toBe("SIGKILL");
  expect(readdirSync(folder).filter((name) => name.endsWith(".partial"))).toHaveLength(1);
  // The next one is called after another second.
  const second = Math.floor(Date.now() / 1000);
  await vi.waitUntil(() => Math.floor(Date.now() / 1000) > second, { timeout: 2000, interval: 20 });
  const { status, stdout } = await harness.cli(["upkeep", "--config", config], { env });
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^backup: +1 session copied to /m)]);
  const [copy = "", ...more] = readdirSync(folder);
  expect(more).toEqual([]);
  const restored = `sqlite:${harness.path("restored.db")}`;
  expect(
    (await harness.cli(["restore", "--from", `sqlite:${join(folder, copy)}`, "--store", restored], { env }))
      .status,
  ).toBe(0);
  expect((await harness.cli(["verify", "--store", restored], { env })).stdout).toContain(
    "36 entries read: 0 damaged",
  );
}, 60_000);
