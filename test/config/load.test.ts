import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SidecarError } from "../../src/base/errors.ts";
import { loadConfig, type ConfigSources, type LoadedConfig } from "../../src/config/load.ts";
import {
  defaultConfigFile,
  defaultStoreUrl,
  surroundings,
  type Surroundings,
} from "../../src/config/paths.ts";
import { optionNames, options, variableOf } from "../../src/config/options.ts";
import { openStore } from "../../src/store/open.ts";
import { formatBytes, formatDurationMs, parseBytes, parseDurationMs } from "../../src/config/units.ts";

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-config-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const hourMs = 3_600_000;

function at(env: Record<string, string> = {}): Surroundings {
  return { env: { XDG_CONFIG_HOME: path.join(folder, "none"), ...env }, platform: "linux", home: "/home/me" };
}

function load(
  sources: Partial<ConfigSources> & { env?: Record<string, string> } = {},
): Promise<LoadedConfig> {
  const { env, ...rest } = sources;
  return loadConfig({ flags: {}, surroundings: at(env), ...rest });
}

function file(name: string, content: unknown): string {
  const full = path.join(folder, name);
  fs.mkdirSync(path.dirname(full), { recursive: true });
  fs.writeFileSync(full, typeof content === "string" ? content : JSON.stringify(content));
  return full;
}

describe("configuration", () => {
  it("has a default for everything", async () => {
    const { config, origins } = await load();
    expect(config).toEqual({
      store: "sqlite:/home/me/.local/share/acp-sidecar/sessions.db",
      durability: "turn",
      onBusy: "idle",
      cancelGraceMs: 10_000,
      commands: "on",
      contextSnapshots: "on",
      contextNote: "off",
      contextWatch: "off",
      endpoint: "on",
      idleTimeoutMs: hourMs,
      sweepIntervalMs: 300_000,
      upkeepIntervalMs: 600_000,
      trashMs: 30 * 24 * hourMs,
      maxSessions: 1000,
      maxMessageBytes: 64 * 1024 ** 2,
      maxEntryBytes: 64 * 1024 ** 2,
      handoverBytes: 64 * 1024,
      audit: "on",
      auditBytes: 8 * 1024 ** 2,
      auditFiles: 10,
      leaseTtlMs: 30_000,
      agentRestart: { attempts: 5, backoffMs: 500 },
      logLevel: "warn",
    });
    expect(new Set(Object.values(origins))).toEqual(new Set(["default"]));
  });

  it("is taken from flags before environment before file before defaults, and remembers which", async () => {
    const config = file("layers.json", {
      durability: "full",
      onBusy: "error",
      maxSessions: 7,
      logLevel: "info",
    });
    const loaded = await load({
      file: config,
      env: { ACP_SIDECAR_ON_BUSY: "takeover", ACP_SIDECAR_MAX_SESSIONS: "8" },
      flags: { maxSessions: "9" },
    });
    expect(loaded.config).toMatchObject({ durability: "full", onBusy: "takeover", maxSessions: 9 });
    expect(loaded.origins).toMatchObject({
      durability: `file ${config}`,
      onBusy: "environment ACP_SIDECAR_ON_BUSY",
      maxSessions: "flag --max-sessions",
      cancelGrace: "default",
    });
    expect(loaded.file).toBe(config);
  });

  it("reads the platform's own file when there is one, and the one that the environment names", async () => {
    const own = file("xdg/acp-sidecar/config.json", { durability: "none" });
    expect((await load({ env: { XDG_CONFIG_HOME: path.join(folder, "xdg") } })).file).toBe(own);
    const named = file("named.json", { $schema: "x", durability: "full" });
    expect((await load({ env: { ACP_SIDECAR_CONFIG: named } })).config.durability).toBe("full");
  });

  it("takes times with their unit, and sizes as numbers of bytes or as people write them", async () => {
    const { config } = await load({
      file: file("units.json", { retention: "30d", idleTimeout: "1500ms", maxMessageBytes: "16MiB" }),
      flags: { cancelGrace: "2s", leaseTtl: "1.5s", handoverBytes: "65536" },
    });
    expect(config).toMatchObject({
      retentionMs: 30 * 24 * hourMs,
      idleTimeoutMs: 1500,
      maxMessageBytes: 16 * 1024 ** 2,
      cancelGraceMs: 2000,
      leaseTtlMs: 1500,
      handoverBytes: 65536,
    });
  });

  it.each(optionNames.filter((name) => options[name].kind.type.toLowerCase().endsWith("duration")))(
    "refuses a number without a unit for a time, wherever it stands: %s",
    async (name) => {
      const wrong = /^\S+( in \S+)? is "?30"?, but a time needs its unit: 30s, 30m, 30h, 30d; allowed: /;
      const refusal = { code: "CONFIG_INVALID", message: expect.stringMatching(wrong) as string };
      await expect(load({ flags: { [name]: "30" } })).rejects.toMatchObject(refusal);
      await expect(load({ env: { [variableOf(name)]: "30" } })).rejects.toMatchObject(refusal);
      for (const value of [30, "30"])
        await expect(load({ file: file("bare.json", { [name]: value }) })).rejects.toMatchObject(refusal);
    },
  );

  it("takes 0 without a unit where it is allowed, since it is nothing in each of them", async () => {
    expect((await load({ flags: { cancelGrace: "0" } })).config.cancelGraceMs).toBe(0);
    expect((await load({ file: file("zero.json", { agentBackoff: 0 }) })).config.agentRestart.backoffMs).toBe(
      0,
    );
    for (const retention of [0, "0"])
      expect((await load({ file: file("zero.json", { retention }) })).config.retentionMs).toBeUndefined();
    await expect(load({ flags: { idleTimeout: "0" } })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  it("deletes nothing that was in use in the last hour", async () => {
    const wrong = '--retention is "59m"; allowed: off, or a time like 12h or 30d, from 1h to 36500d';
    await expect(load({ flags: { retention: "59m" } })).rejects.toThrow(wrong);
    expect((await load({ flags: { retention: "60m" } })).config.retentionMs).toBe(hourMs);
  });

  it("takes a list of stores for layers, and the URL that says the same in a flag or variable", async () => {
    const list = ["cache:", "sqlite:/s.db"];
    const url = 'layered:["cache:","sqlite:/s.db"]';
    expect((await load({ file: file("list.json", { store: list }) })).config.store).toBe(url);
    expect((await load({ env: { ACP_SIDECAR_STORE: url } })).config.store).toBe(url);
    expect((await load({ flags: { store: url } })).config.store).toBe(url);
  });

  it("takes an off that is a choice as what it is", async () => {
    const off = await load({ flags: { commands: "off" } });
    expect(off.config.commands).toBe("off");
  });

  it("switches retention off", async () => {
    const { config } = await load({
      file: file("off.json", { retention: "1d" }),
      flags: { retention: "off" },
    });
    expect(config.retentionMs).toBeUndefined();
  });

  it("knows the agent from the file, the environment and the command line", async () => {
    const agent = { command: "opencode", args: ["acp"], env: { KEY: "secret" } };
    expect((await load({ file: file("agent.json", { agent }) })).config.agent).toEqual(agent);
    const words = await load({ env: { ACP_SIDECAR_AGENT: "opencode  acp" } });
    expect(words.config.agent).toEqual({ command: "opencode", args: ["acp"] });
    const list = await load({ env: { ACP_SIDECAR_AGENT: '["my agent","a b"]' } });
    expect(list.config.agent).toEqual({ command: "my agent", args: ["a b"] });
    expect((await load({ agent: ["gemini", "--acp"] })).config.agent).toEqual({
      command: "gemini",
      args: ["--acp"],
    });
  });

  it("cannot be changed once loaded", async () => {
    const { config } = await load({ agent: ["a"] });
    expect(() => Object.assign(config, { store: "memory:" })).toThrow(TypeError);
    expect(() => Object.assign(config.agentRestart, { attempts: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.agent ?? {}, { command: "b" })).toThrow(TypeError);
  });

  it("takes an empty variable for an unset one", async () => {
    expect((await load({ env: { ACP_SIDECAR_STORE: "" } })).origins.store).toBe("default");
  });
});

describe("a wrong value is one line that names it and what is allowed", () => {
  const wrong: [string, () => Promise<unknown>, string][] = [
    [
      "a choice",
      () => load({ flags: { durability: "some" } }),
      '--durability is "some"; allowed: none, turn, full',
    ],
    [
      "a time",
      () => load({ env: { ACP_SIDECAR_CANCEL_GRACE: "soon" } }),
      'ACP_SIDECAR_CANCEL_GRACE is "soon"; allowed: a time like 90s, 5m or 1h, from 0ms to 1h',
    ],
    [
      "a count out of bounds",
      () => load({ flags: { maxSessions: "0" } }),
      '--max-sessions is "0"; allowed: a whole number from 1 to 1000000',
    ],
    ["a negative count", () => load({ file: file("n.json", { maxSessions: -1 }) }), '"maxSessions" in'],
    [
      "a count of the wrong type",
      () => load({ file: file("t.json", { maxSessions: [] }) }),
      "is []; allowed",
    ],
    [
      "a path as a store",
      () => load({ flags: { store: "C:\\x.db" } }),
      "allowed: a store URL such as memory:",
    ],
    [
      "a layer that is no URL, whatever the others hold",
      () => load({ file: file("l2.json", { store: ["postgres://me:hunter2@h/d", "/tmp/x.db"] }) }),
      'l2.json, layer 2, is "/tmp/x.db"; allowed: a store URL such as memory:',
    ],
    [
      "a list of one",
      () => load({ file: file("l1.json", { store: ["redis://:hunter2@h"] }) }),
      'l1.json is ["redis://:***@h"]; allowed',
    ],
    ["a list for what is none", () => load({ file: file("l0.json", { onBusy: ["idle"] }) }), 'is ["idle"]'],
    ["an unknown key", () => load({ file: file("k.json", { stor: "memory:" }) }), '"stor" in'],
    [
      "an unknown variable",
      () => load({ env: { ACP_SIDECAR_STOR: "memory:" } }),
      "ACP_SIDECAR_STOR is not an option",
    ],
    [
      "a file that is not there",
      () => load({ file: "/nowhere/c.json" }),
      "--config /nowhere/c.json does not exist",
    ],
    ["a file that is a folder", () => load({ file: os.tmpdir() }), "cannot be read"],
    ["a file with a list", () => load({ file: file("l.json", "[]") }), "holds no object"],
    [
      "an agent without a command",
      () => load({ file: file("a.json", { agent: {} }) }),
      "is wrong at command",
    ],
    [
      "an agent that is no list",
      () => load({ env: { ACP_SIDECAR_AGENT: "[1" } }),
      "ACP_SIDECAR_AGENT is wrong",
    ],
  ];

  it.each(wrong)("%s", async (_, attempt, message) => {
    const error: unknown = await attempt().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "CONFIG_INVALID", exitStatus: 2 });
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toContain("\n");
  });

  it("and quotes neither the password in a URL nor the text of a broken file", async () => {
    const url = load({ flags: { store: "1postgres://me:hunter2@host/db" } });
    await expect(url).rejects.toThrow(/me:\*\*\*@host/);
    const text = load({ file: file("broken.json", '{\n "agent": hunter2 }') });
    const error = (await text.catch((reason: unknown) => reason)) as Error;
    expect(error.message).toMatch(/is not JSON.*allowed: one JSON object$/);
    expect(error.message).not.toContain("hunter2");
    const agent = load({ file: file("env.json", { agent: { command: "a", env: { KEY: ["hunter2"] } } }) });
    await expect(agent).rejects.toThrow(/is wrong at env\.KEY/);
    await expect(agent).rejects.not.toThrow(/hunter2/);
  });
});

describe("the platform's folders", () => {
  it.each([
    [
      "linux",
      { XDG_DATA_HOME: "/data", XDG_CONFIG_HOME: "/conf" },
      "/data/acp-sidecar/sessions.db",
      "/conf/acp-sidecar/config.json",
    ],
    [
      "linux",
      { XDG_DATA_HOME: "relative" },
      "/home/me/.local/share/acp-sidecar/sessions.db",
      "/home/me/.config/acp-sidecar/config.json",
    ],
    [
      "darwin",
      {},
      "/home/me/Library/Application Support/acp-sidecar/sessions.db",
      "/home/me/Library/Application Support/acp-sidecar/config.json",
    ],
    [
      "win32",
      { LOCALAPPDATA: "C:\\L", APPDATA: "C:\\R" },
      "C:\\L\\acp-sidecar\\sessions.db",
      "C:\\R\\acp-sidecar\\config.json",
    ],
  ] as const)("%s %o", (platform, env, store, config) => {
    const where = { env, platform, home: "/home/me" };
    expect(defaultStoreUrl(where)).toBe(`sqlite:${store}`);
    expect(defaultConfigFile(where)).toBe(config);
  });
});

describe("a place in a setting", () => {
  const at = (home?: string) => ({
    env: {},
    platform: "linux" as const,
    ...(home !== undefined && { home }),
  });
  const load = (more: Partial<ConfigSources>, home?: string) =>
    loadConfig({ flags: {}, surroundings: at(home), ...more });

  it("may begin with ~, in a flag, in the file, and in a layer", async () => {
    const { config } = await load({ flags: { store: "sqlite:~/s.db", logFile: "~/log" } }, "/home/me");
    expect([config.store, config.logFile]).toEqual(["sqlite:/home/me/s.db", "/home/me/log"]);
    const layered = await load({ flags: { store: 'layered:["cache:","file:~/s"]' } }, "/home/me");
    expect(layered.config.store).toBe('layered:["cache:","file:/home/me/s"]');
    expect((await load({ flags: { store: "sqlite:a~b/~/s.db" } }, "/home/me")).config.store).toBe(
      "sqlite:a~b/~/s.db",
    );
  });

  it("that is relative in the file is of the file's folder, and in a flag of the folder we are started in", async () => {
    const file = path.join(folder, "relative.json");
    fs.writeFileSync(file, JSON.stringify({ store: ["cache:", "sqlite:./s.db"], logFile: "log" }));
    const { config } = await load({ file }, "/home/me");
    expect(config.store).toBe(`layered:["cache:","sqlite:${path.join(folder, "s.db")}"]`);
    expect(config.logFile).toBe(path.join(folder, "log"));
    expect((await load({ file, flags: { store: "sqlite:./s.db" } })).config.store).toBe("sqlite:./s.db");
  });

  it("is one of every store that is named by a path", async () => {
    const forms = await openStore("no-such:").catch(({ data }: SidecarError) => data?.["allowed"]);
    const schemes = (forms as string[]).flatMap((form) => /^([a-z]+):(?:DIR|PATH)$/.exec(form)?.[1] ?? []);
    expect(schemes).toContain("sqlite");
    for (const scheme of schemes) {
      const { config } = await load({ flags: { store: `${scheme}:~/s` } }, "/home/me");
      expect(config.store).toBe(`${scheme}:/home/me/s`);
    }
  });

  it("needs no home when a store is named, and says what to do when the default is wanted", async () => {
    expect((await load({ flags: { store: "memory:" } })).config.store).toBe("memory:");
    await expect(load({})).rejects.toThrow(/HOME.*--store/);
    await expect(load({ flags: { store: "sqlite:~/s.db" } })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
  });

  it("is no folder of the project because HOME is empty or relative", () => {
    for (const HOME of ["", "relative"]) expect(surroundings({ HOME }).home).not.toBe(HOME);
    expect(surroundings({ HOME: "/home/me" }).home).toBe("/home/me");
  });
});

describe("units", () => {
  it.each([
    ["0", 0, "0ms"],
    ["1500ms", 1500, "1500ms"],
    ["90s", 90_000, "90s"],
    ["1.5h", 5_400_000, "90m"],
    ["24h", 86_400_000, "1d"],
  ])("%s is %i ms, written %s", (text, ms, written) => {
    expect(parseDurationMs(text)).toBe(ms);
    expect(formatDurationMs(ms)).toBe(written);
  });

  it.each([
    ["100", 100, "100B"],
    ["64KiB", 65_536, "64KiB"],
    ["0.5GiB", 536_870_912, "512MiB"],
  ])("%s is %i bytes, written %s", (text, bytes, written) => {
    expect(parseBytes(text)).toBe(bytes);
    expect(formatBytes(bytes)).toBe(written);
  });

  it.each(["", "1w", "-1s", "s", "1 h", "1e3s", "30", "1.5", "00"])("%j is no time", (text) => {
    expect(parseDurationMs(text)).toBeNaN();
  });
});
