import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { optionNames } from "../../src/config/options.ts";
import { cli, scratchFolder } from "./harness.ts";

const folder = scratchFolder();
const env = { XDG_CONFIG_HOME: folder, XDG_DATA_HOME: "/data" };
const file = path.join(folder, "acp-sidecar", "config.json");

describe("config path", () => {
  it("prints the file that would be read, whether it is there or not", async () => {
    expect(await cli(["config", "path"], { env })).toEqual({ status: 0, out: `${file}\n`, err: "" });
    const named = await cli(["config", "path"], { env: { ...env, ACP_SIDECAR_CONFIG: "/etc/sidecar.json" } });
    expect(named.out).toBe("/etc/sidecar.json\n");
    expect((await cli(["config", "path", "--config", "/own.json"], { env })).out).toBe("/own.json\n");
  });
});

describe("config init", () => {
  it("writes every option as a comment, which changes nothing, for its owner only, and once", async () => {
    expect(await cli(["config", "init"], { env })).toEqual({ status: 0, out: `${file}\n`, err: "" });
    const text = fs.readFileSync(file, "utf8");
    for (const name of optionNames) expect(text).toMatch(new RegExp(`^  // "${name}": ".+",$`, "m"));
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    const { out } = await cli(["config"], { env });
    expect(out).toMatch(/^retention +off +default$/m);
    expect(out).toMatch(/^agent +echo \(built in\) +default$/m);

    const again = await cli(["config", "init"], { env });
    expect(again.status).toBe(2);
    expect(again.err).toMatch(/is there already; edit it, or write a new one with --force\n$/);
    expect(fs.readFileSync(file, "utf8")).toBe(text);
  });

  it("writes what counts again when all of it is made to count", async () => {
    const all = path.join(folder, "all.json");
    await cli(["config", "init", "--config", all], { env });
    fs.writeFileSync(all, fs.readFileSync(all, "utf8").replace(/^ {2}\/\/ (?=")/gm, "  "));
    const { status, out, err } = await cli(["config", "--config", all], { env });
    expect([status, err]).toEqual([0, ""]);
    expect(out).toMatch(/^store +sqlite:\/data\/acp-sidecar\/sessions\.db +file /m);
    expect(out).toMatch(/^agent +opencode acp +file /m);
    expect(out).toMatch(/^encryptionKey +file:\/etc\/acp-sidecar\/key +file /m);
  });

  it("sets what is given, an agent too, and names the schema of the installation", async () => {
    const given = path.join(folder, "given.json");
    const argv = ["config", "init", "--config", given, "--retention", "30d", "--", "init", "--acp"];
    expect((await cli(argv, { env })).status).toBe(0);
    const { out } = await cli(["config", "--config", given], { env });
    expect(out).toMatch(/^retention +30d +file /m);
    expect(out).toMatch(/^agent +init --acp +file /m);
    const [, schema = ""] = /"\$schema": "(file:[^"]+)"/.exec(fs.readFileSync(given, "utf8")) ?? [];
    expect(JSON.parse(fs.readFileSync(fileURLToPath(schema), "utf8"))).toHaveProperty("properties.store");
  });

  it("takes no value that is not allowed, and writes no file then", async () => {
    const wrong = path.join(folder, "wrong.json");
    const argv = ["config", "init", "--config", wrong, "--retention", "soon"];
    expect((await cli(argv, { env })).err).toMatch(/^acp-sidecar: --retention is "soon"; allowed: /);
    expect(fs.existsSync(wrong)).toBe(false);
  });
});
