import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLogger } from "../../src/base/log.ts";
import { redactStoreUrl, redactUrls } from "../../src/base/redact.ts";

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-log-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

function records(file: string): Record<string, unknown>[] {
  return fs
    .readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("the log", () => {
  it("writes records of its level and above, at once, to a file that only its owner reads", () => {
    const file = path.join(folder, "levels.log");
    const log = createLogger({ level: "info", file });
    log.debug({}, "not this");
    log.info({ count: 1 }, "this");
    expect(records(file)).toMatchObject([{ level: "info", count: 1, msg: "this", pid: process.pid }]);
    log.error({ error: new Error("why", { cause: new Error("deeper") }) }, "and this");
    expect(records(file)[1]).toMatchObject({
      level: "error",
      error: { name: "Error", message: "why", cause: { message: "deeper" } },
    });
    log.close();
    log.error({}, "after the end");
    expect(records(file)).toHaveLength(2);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  });

  it("is lines of words for who reads it on a terminal, of which each stays one line that a terminal does not obey", () => {
    const lines: string[] = [];
    const target = { write: (line: string) => lines.push(line) };
    const log = createLogger({ level: "warn", target, readable: true });
    log.warn(
      { reason: "not\u001b[31m\nJSON", count: 3, none: undefined, deep: { apiKey: "hunter2" } },
      "something strange",
    );
    log.info({}, "not this");
    expect(lines).toEqual([
      expect.stringMatching(
        /^acp-sidecar \d\d:\d\d:\d\d warn: something strange \(reason=not\\u001b\[31m JSON, count=3, deep=\{.*\}\)\n$/,
      ) as string,
    ]);
    expect(lines.join("")).not.toContain("hunter2");
    const file = path.join(folder, "readable.log");
    createLogger({ level: "warn", file, target, readable: true }).warn({}, "to the file");
    expect(records(file)).toMatchObject([{ msg: "to the file" }]);
  });

  it("hides secrets at every level, however deep", () => {
    const file = path.join(folder, "secrets.log");
    const log = createLogger({ level: "debug", file });
    const secret = "hunter2";
    log.debug(
      {
        params: { mcpServers: [{ command: "x", env: [{ name: "KEY", value: secret }] }], cwd: "/here" },
        agent: { env: { KEY: secret }, Headers: { Authorization: secret } },
        list: [{ password: secret }],
        url: `postgres://me:${secret}@host/db`,
        error: Object.assign(new Error(`cannot reach redis://:${secret}@host`), { headers: secret }),
      },
      `at redis://:${secret}@host`,
    );
    log.close();
    expect(fs.readFileSync(file, "utf8")).not.toContain(secret);
    expect(records(file)[0]).toMatchObject({ params: { cwd: "/here" }, url: "postgres://me:***@host/db" });
  });

  it("says which log file cannot be written", () => {
    expect(() => createLogger({ level: "warn", file: path.join(folder, "no", "such.log") })).toThrow(
      /^--log-file .*such\.log cannot be written/,
    );
  });

  it("survives what cannot be written as JSON", () => {
    const file = path.join(folder, "odd.log");
    const log = createLogger({ level: "warn", file });
    const loop: Record<string, unknown> = { big: 1n };
    loop.self = loop;
    log.warn(loop, "odd");
    log.close();
    expect(records(file)).toMatchObject([{ msg: "odd" }]);
  });

  it("goes to stderr without a file and never to stdout, and loads pino with the first record", () => {
    const bundle = path.join(folder, "log.mjs");
    const entry = path.join(folder, "entry.ts");
    fs.writeFileSync(
      entry,
      `import { createRequire } from "node:module";
       import { createLogger } from ${JSON.stringify(path.resolve("src/base/log.ts"))};
       const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes("pino"));
       const log = createLogger({ level: "warn" });
       log.info({}, "not written");
       const before = loaded();
       log.warn({ before }, "written");
       log.warn({ after: loaded() }, "written");`,
    );
    const esbuild = path.resolve("node_modules/.bin/esbuild");
    spawnSync(esbuild, [entry, "--bundle", "--platform=node", "--format=esm", `--outfile=${bundle}`]);
    fs.symlinkSync(path.resolve("node_modules"), path.join(folder, "node_modules"));
    const { stdout, stderr } = spawnSync(process.execPath, [bundle], { encoding: "utf8" });
    expect(stdout).toBe("");
    expect(
      stderr
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([{ before: false }, { after: true }]);
  });
});

describe("passwords in URLs", () => {
  it.each([
    ["redis://:pw@host:1/0", "redis://:***@host:1/0"],
    ["a postgres://u:p%40w@h/db?sslmode=require b", "a postgres://u:***@h/db?sslmode=require b"],
    ["postgres://h/db?user=u&password=pw", "postgres://h/db?user=u&password=***"],
    ["sqlite:/home/me@work/x.db", "sqlite:/home/me@work/x.db"],
    ["redis://host:6379/0", "redis://host:6379/0"],
    ["postgres://me:p#w/d@h/db", "postgres://me:***@h/db"],
  ])("%s", (url, shown) => {
    expect(redactUrls(url)).toBe(shown);
  });

  it("of layers are taken out of each, and the rest of each is shown", () => {
    const url = 'layered:["cache:","redis://:pw@h?password=pw","postgres://me:pw@h/db","file:/d"]';
    const shown = 'layered:["cache:","redis://:***@h?password=***","postgres://me:***@h/db","file:/d"]';
    expect(redactStoreUrl(url)).toBe(shown);
    expect(redactStoreUrl("layered:[redis://:pw@h")).toBe("layered:[redis://:***@h");
    expect(redactStoreUrl("redis://:pw@h")).toBe("redis://:***@h");
  });
});
