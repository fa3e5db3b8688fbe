/** What only the configuration file says: hooks, alerts, backups. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { conditionFrom, figureUnits, holdsFor } from "../../src/config/condition.ts";
import { loadConfig } from "../../src/config/load.ts";
import { cli } from "../cli/harness.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-structures-"));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
const file = path.join(folder, "config.json");

function load(content: object) {
  fs.writeFileSync(file, JSON.stringify(content));
  return loadConfig({ flags: {}, file, surroundings: { env: {}, platform: "linux", home: "/home/me" } });
}

describe("hooks, alerts and backups in the configuration file", () => {
  it("are read, with what is not said filled in, and paths where they were meant", async () => {
    const { config, origins } = await load({
      hooks: [{ on: "turn.ended", run: ["notify", "me"] }],
      alerts: [{ when: " disk.free < 1GiB ", post: "https://example.com/x", timeout: "2s" }],
      backup: { to: "sqlite:copies/s.db", every: "12h", keep: 7 },
    });
    expect(config.hooks).toEqual([
      { on: ["turn.ended"], content: false, run: ["notify", "me"], timeoutMs: 10_000 },
    ]);
    expect(config.alerts).toEqual([
      { when: "disk.free < 1GiB", post: "https://example.com/x", timeoutMs: 2000 },
    ]);
    expect(config.backup).toEqual({
      to: `sqlite:${folder}/copies/s.db`,
      everyMs: 12 * 3_600_000,
      keep: 7,
    });
    expect(origins.hooks).toBe(`file ${file}`);
    expect(Object.isFrozen(config.hooks?.[0]?.on)).toBe(true);
  });

  it.each([
    [{ hooks: [{ on: ["turn.began"], run: ["x"] }] }, /"hooks" in \S+ is wrong at 0\.on.*turn\.ended/],
    [{ hooks: [{ on: "turn.ended" }] }, /at 0: it has to have either run or post/],
    [{ hooks: [{ on: "turn.ended", run: ["x"], post: "https://x" }] }, /either run or post/],
    [{ hooks: [{ on: "turn.ended", run: [] }] }, /at 0\.run/],
    [{ hooks: [{ on: "turn.ended", post: "ftp://secret@x" }] }, /at 0\.post/],
    [{ hooks: [{ on: "turn.ended", run: ["x"], contents: true }] }, /at 0: it has no "contents"/],
    [{ hooks: [{ on: "turn.ended", run: ["x"], headers: { a: "secret" } }] }, /headers are of a post/],
    [
      { alerts: [{ when: "disk.fre < 1GiB", run: ["x"] }] },
      /at 0\.when, which asks about "disk\.fre"; did you mean disk\.free/,
    ],
    [
      { alerts: [{ when: "disk.free", run: ["x"] }] },
      /does not say from when on; allowed: disk\.free < 1GiB/,
    ],
    [{ alerts: [{ when: "disk.free < 3/h", run: ["x"] }] }, /compares disk\.free with "3\/h"/],
    [{ alerts: [{ when: "store.corrupt > 1", run: ["x"] }] }, /store\.corrupt, which is or is not/],
    [{ alerts: [{ when: "rm -rf / #", run: ["x"] }] }, /allowed: a figure alone/],
    [{ backup: { to: "postgres://me:secret@h/d", every: "1d", keep: 1 } }, /at to; allowed: .*sqlite:PATH/],
    [{ backup: { to: "sqlite:/b", every: "10s", keep: 1 } }, /at every/],
    [{ backup: { to: "sqlite:/b", every: "1d", keep: 0 } }, /at keep/],
  ])("are refused on one line that shows no secret: %j", async (content, message) => {
    const error: unknown = await load(content).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toMatch(/secret|\n/);
  });

  it("are shown by config without addresses and arguments, which may be secret", async () => {
    await load({
      store: "memory:",
      hooks: [{ on: "turn.ended", post: "https://example.com/hunter2", headers: { key: "hunter2" } }],
      alerts: [{ when: "store.corrupt", run: ["mail", "hunter2"] }],
    });
    const { out, status } = await cli(["config", "--config", file]);
    expect(status).toBe(0);
    expect(out).toMatch(/^hooks +turn\.ended → https:\/\/example\.com +file /m);
    expect(out).toMatch(/^alerts +store\.corrupt → mail +file /m);
    expect(out).toMatch(/^backup +off +default$/m);
    expect(out).not.toContain("hunter2");
  });
});

describe("a condition", () => {
  const holds = (text: string, measured: number) => {
    const condition = conditionFrom(text);
    if (typeof condition === "string") throw new Error(condition);
    return holdsFor(condition, measured);
  };

  it("compares in the unit of its figure", () => {
    expect(holds("disk.free < 1GiB", 2 ** 30 - 1)).toBe(true);
    expect(holds("disk.free < 1GiB", 2 ** 30)).toBe(false);
    expect(holds("disk.free<=1GiB", 2 ** 30)).toBe(true);
    expect(holds("store.bytes > 1.5TiB", 1.5 * 2 ** 40)).toBe(false);
    expect(holds("fsync.p99 > 200ms", 201)).toBe(true);
    expect(holds("store.sessions >= 10", 10)).toBe(true);
    expect(holds("store.corrupt", 1)).toBe(true);
    expect(holds("store.corrupt", 0)).toBe(false);
    expect(conditionFrom("sessions.failed > 3/h")).toEqual({
      figure: "sessions.failed",
      compared: { by: ">", value: 3, perMs: 3_600_000 },
    });
  });

  it("is understood for every figure there is, and takes no time whatever it is", () => {
    for (const [figure, unit] of Object.entries(figureUnits)) {
      const value = { is: "", bytes: " > 1KiB", time: " > 1s", count: " > 1", rate: " > 1/d" }[unit];
      expect(conditionFrom(`${figure}${value}`)).toMatchObject({ figure });
    }
    const beganMs = performance.now();
    expect(typeof conditionFrom(`disk.free${" ".repeat(1e6)}`)).toBe("string");
    expect(performance.now() - beganMs).toBeLessThan(500);
  });
});
