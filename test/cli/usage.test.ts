import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { flagOf, optionNames } from "../../src/config/options.ts";
import { cli, scratchFolder } from "./harness.ts";

describe("help", () => {
  it.each(["", ...commands.map(({ name }) => name)])(
    "on %j names every flag and the exit statuses",
    async (name) => {
      const { status, out, err } = await cli([...name.split(" ").filter(Boolean), "--help"]);
      expect([status, err]).toEqual([0, ""]);
      const flags = commands.find((command) => command.name === name)?.flags ?? [];
      for (const flag of [...optionNames.map(flagOf), "config", ...flags.map((each) => each.name)]) {
        expect(out).toContain(`--${flag}`);
      }
      expect(out).toContain("Exit status:");
      expect(out).toContain("usage: acp-sidecar");
    },
  );

  it("on a group lists its commands, and 'help X' is 'X --help'", async () => {
    const { out } = await cli(["sessions", "--help"]);
    for (const name of ["ls", "show", "rm", "stats", "gc"])
      expect(out).toContain(`acp-sidecar sessions ${name}`);
    expect((await cli(["help", "sessions", "ls"])).out).toBe((await cli(["sessions", "ls", "-h"])).out);
  });
});

describe("a command line", () => {
  const invocationOf = (...argv: string[]) => {
    const parsed = parseCommandLine(argv);
    if (parsed.kind !== "run") throw new Error("nothing to run");
    return { name: parsed.command.name, ...parsed.invocation };
  };

  it("serves unless it names a command", () => {
    expect(invocationOf()).toMatchObject({ name: "serve", agent: [] });
    expect(invocationOf("--store", "memory:", "--", "opencode", "acp", "--flag")).toMatchObject({
      name: "serve",
      settings: { store: "memory:" },
      agent: ["opencode", "acp", "--flag"],
    });
  });

  it("takes flags before and after the command, the last one winning", () => {
    expect(invocationOf("--store", "a:", "sessions", "ls", "--store=b:", "--limit", "3")).toMatchObject({
      name: "sessions ls",
      settings: { store: "b:" },
      flags: { limit: "3" },
    });
  });

  it("takes an agent's command with and without -- where an agent is wanted", () => {
    const wanted = { name: "demo", agent: ["opencode", "acp", "--store", "theirs"], settings: {} };
    expect(invocationOf("demo", "opencode", "acp", "--store", "theirs")).toMatchObject(wanted);
    expect(invocationOf("demo", "--", "opencode", "acp", "--store", "theirs")).toMatchObject(wanted);
    expect(invocationOf("doctor", "--json", "agent", "--json")).toMatchObject({
      flags: { json: true },
      agent: ["agent", "--json"],
    });
  });

  it.each([
    [["--bogus"], /^serve has no flag --bogus; allowed: --store, /],
    [["sessions", "ls", "--force"], /^sessions ls has no flag --force; allowed: --cwd, --limit, --json, /],
    [["frobnicate"], /^"frobnicate" is not a command; allowed: serve, sessions, .*config; an agent/],
    [["sessions"], /^"sessions" is not a command; allowed after sessions: ls, show, rm, stats, gc$/m],
    [["sessions", "drop"], /^"sessions drop" is not a command; allowed after sessions: ls/],
    [["--store"], /^serve needs a value for --store/],
    [["--store", "--json"], /^serve needs a value for --store, not --json/],
    [["--store="], /^serve needs a value for --store/],
    [["sessions", "ls", "--json=yes"], /takes --json without a value, not --json=yes/],
    [["sessions", "show"], /^sessions show needs ID/],
    [["sessions", "show", "a", "b"], /^sessions show takes no "b"/],
    [["sessions", "ls", "--", "agent"], /^sessions ls takes no agent's command/],
    [["sessions", "ls", "--limit", "many"], /^--limit is "many"; allowed: a whole number above 0/],
    [["nothing", "--help"], /^There is no help on "nothing"; allowed: serve, /],
    [
      ["--idle-timeout", "never", "config"],
      /^--idle-timeout is "never"; allowed: milliseconds, or a time like/,
    ],
  ])("%j is refused in one line, with status 2", async (argv, message) => {
    const { status, out, err } = await cli(argv);
    expect([status, out]).toEqual([2, ""]);
    expect(err.startsWith("acp-sidecar: ")).toBe(true);
    expect(err.slice("acp-sidecar: ".length)).toMatch(message);
    expect(err.indexOf("\n")).toBe(err.length - 1);
  });
});

describe("config", () => {
  it("prints every option, its value and where it comes from", async () => {
    const { status, out } = await cli(["config", "--retention", "30d"], {
      env: { ACP_SIDECAR_LOG_LEVEL: "info", XDG_DATA_HOME: "/data" },
    });
    expect(status).toBe(0);
    expect(out).toMatch(/^store +sqlite:\/data\/acp-sidecar\/sessions\.db +default$/m);
    expect(out).toMatch(/^retention +30d +flag --retention$/m);
    expect(out).toMatch(/^logLevel +info +environment ACP_SIDECAR_LOG_LEVEL$/m);
    for (const name of optionNames) expect(out).toMatch(new RegExp(`^${name} `, "m"));
  });

  it("prints no secret, neither for people nor for programs", async () => {
    const argv = ["config", "--store", "postgres://me:hunter2@host/db"];
    for (const json of [[], ["--json"]]) {
      const { out } = await cli([...argv, ...json, "--", "agent", "--key", "hunter2"]);
      expect(out).toContain("postgres://me:***@host/db");
      expect(out).toContain("agent");
      expect(out).not.toContain("hunter2");
    }
    expect((await cli([...argv, "--", "agent", "--key", "x"])).out).toContain(
      "agent (2 arguments not shown)",
    );
  });

  it("prints layers that stand in a file as a list, as the URL that a flag takes, and refuses a wrong one by its place", async () => {
    const folder = scratchFolder();
    const file = path.join(folder, "config.json");
    const withStore = async (store: readonly string[], ...rest: readonly string[]) => {
      fs.writeFileSync(file, JSON.stringify({ store }));
      return cli(["config", "--config", file, ...rest]);
    };
    const { out } = await withStore(["cache:", "postgres://me:hunter2@host/db"]);
    expect(out).toMatch(/^store +layered:\["cache:","postgres:\/\/me:\*\*\*@host\/db"\] +file /m);
    const { status, err } = await withStore(["cache:", "mongodb://me:hunter2@host/db"]);
    expect(status).toBe(2);
    expect(err).toMatch(/^acp-sidecar: Layer 2 of the store: There is no store "mongodb:"; [^\n]*\n$/);
    expect(out + err).not.toContain("hunter2");
  });

  it("gives programs numbers in milliseconds and bytes", async () => {
    const { out } = await cli(["config", "--json", "--cancel-grace", "2s"]);
    expect(JSON.parse(out)).toMatchObject({
      options: {
        cancelGrace: { value: 2000, origin: "flag --cancel-grace" },
        maxMessageBytes: { value: 67_108_864, origin: "default" },
      },
    });
  });
});
