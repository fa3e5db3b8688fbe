import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { flagOf, optionNames } from "../../src/config/options.ts";
import { cli, scratchFolder } from "./harness.ts";

const topics = ["", "sessions", "config", ...commands.map(({ name }) => name)].map((name) => [name] as const);

describe("help", () => {
  it.each(topics)(
    "on %j names its own flags and the exit statuses, and with --all every option",
    async (name) => {
      const words = name.split(" ").filter(Boolean);
      const { status, out, err } = await cli([...words, "--help"]);
      expect([status, err]).toEqual([0, ""]);
      const command = commands.find((each) => each.name === name);
      for (const flag of command?.flags ?? []) expect(out).toContain(`--${flag.name}`);
      expect(out).toContain("Exit status:");
      expect(out).toContain("usage: acp-sidecar");
      expect(out.includes("--agent-backoff")).toBe(command?.options === "all");
      if (name === "sessions" || name === "config") return;
      const all = (await cli([...words, "--help", "--all"])).out;
      for (const option of optionNames) expect(all).toContain(`--${flagOf(option)}`);
    },
  );

  it.each(topics)("on %j has no line that a terminal would break", async (name) => {
    const words = name.split(" ").filter(Boolean);
    for (const [columns, widest] of [
      [undefined, 80],
      [200, 80],
      [60, 60],
    ] as const) {
      const { out } = await cli([...words, "--help", "--all"], columns === undefined ? {} : { columns });
      // Examples that are pasted stay whole.
      const broken = out
        .split("\n")
        .filter((line) => line.length > widest && !/^(\S+: )?acp-sidecar|^ {4}/.test(line.trim()));
      expect(broken).toEqual([]);
    }
  });

  it("on a group lists its commands, and 'help X' is 'X --help', by any of its names", async () => {
    const { out } = await cli(["sessions", "--help"]);
    for (const name of ["ls", "show", "rm", "stats", "gc"])
      expect(out).toContain(`acp-sidecar sessions ${name}`);
    const wanted = (await cli(["sessions", "ls", "-h"])).out;
    expect((await cli(["help", "sessions", "ls"])).out).toBe(wanted);
    expect((await cli(["ls", "--help"])).out).toBe(wanted);
    expect((await cli(["session", "list", "--help"])).out).toBe(wanted);
    expect((await cli(["sessions", "show", "SOME-ID", "--help"])).out).toContain("sessions show ID");
    expect((await cli(["doctor", "agent", "--help"])).out).toContain("doctor: ");
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

  it.each([
    ["sessions", "sessions ls"],
    ["session", "sessions ls"],
    ["ls", "sessions ls"],
    ["list", "sessions ls"],
    ["session list", "sessions ls"],
    ["sessions list", "sessions ls"],
    ["session show X", "sessions show"],
    ["sessions delete X", "sessions rm"],
    ["config init", "config init"],
    ["config", "config"],
  ])("%j is %j", (line, name) => {
    expect(invocationOf(...line.split(" ")).name).toBe(name);
    expect(invocationOf("--store", "memory:", ...line.split(" ")).name).toBe(name);
  });

  it("takes an agent's command of config only behind --", () => {
    expect(invocationOf("config", "--", "init")).toMatchObject({ name: "config", agent: ["init"] });
    expect(invocationOf("config", "init", "--", "agent")).toMatchObject({
      name: "config init",
      agent: ["agent"],
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
    [["--bogus"], /^serve has no flag --bogus; allowed: --store, --config; all: .* serve --help --all\n$/],
    [["--stor", "memory:"], /^serve has no flag --stor; did you mean --store\?\n$/],
    [["sessions", "ls", "--limt", "3"], /^sessions ls has no flag --limt; did you mean --limit\?\n$/],
    [["sessions", "ls", "--repair"], /^sessions ls has no flag --repair; allowed: (--[a-z]+, )*--limit, /],
    [["frobnicate"], /^"frobnicate" is not a command; allowed: serve, sessions, .*; an agent/],
    [["rm", "last"], /^"rm" is not a command; did you mean sessions rm\?\n$/],
    [["docter"], /^"docter" is not a command; did you mean doctor\?\n$/],
    [["sesions", "ls"], /^"sesions" is not a command; did you mean sessions\?\n$/],
    [["sessions", "hsow", "X"], /^"sessions hsow" is not a command; did you mean sessions show\?\n$/],
    [["sessions", "frobnicate"], /^"sessions frobnicate" is not a command; allowed after sessions: ls/],
    [["config", "inti"], /^"config inti" is not a command; did you mean config init\?\n$/],
    [["config", "opencode"], /^"config opencode" is not a command; allowed after config: init, path\n$/],
    [["docter", "--help"], /^There is no help on "docter"; did you mean doctor\?\n$/],
    [["--store"], /^serve needs a value for --store/],
    [["--store", "--json"], /^serve needs a value for --store, not --json/],
    [["--store="], /^serve needs a value for --store/],
    [["sessions", "ls", "--json=yes"], /takes --json without a value, not --json=yes/],
    [["sessions", "show"], /^sessions show needs ID/],
    [["sessions", "rename", "last"], /^sessions rename needs TITLE/],
    [["import", "/not/there"], /^"\/not\/there" is not there; allowed: claude, .*a bundle/],
    [["sessions", "show", "a", "b"], /^sessions show takes no "b"/],
    [["sessions", "ls", "--", "agent"], /^sessions ls takes no agent's command/],
    [["sessions", "ls", "--limit", "many"], /^--limit is "many"; allowed: a whole number above 0/],
    [["nothing", "--help"], /^There is no help on "nothing"; allowed: serve, /],
    [["--idle-timeout", "never", "config"], /^--idle-timeout is "never"; allowed: a time like/],
    [["sessions", "gc", "--older-than", "30"], /^--older-than is "30", but a time needs its unit: 30s, 30m/],
    [["sessions", "gc", "--older-than", "5m"], /^--older-than is "5m"; allowed: a time like .*, from 1h /],
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
    for (const [words, shown] of [
      ["opencode acp", "opencode acp"],
      ["gemini --experimental-acp", "gemini --experimental-acp"],
      ["agent acp --key x acp", "agent acp (3 arguments not shown)"],
      ["agent hunter2 acp", "agent (2 arguments not shown)"],
    ] as const) {
      const { out } = await cli(["config", "--", ...words.split(" ")]);
      expect(out).toMatch(new RegExp(`^agent +${shown.replace(/[()]/g, "\\$&")} +command line$`, "m"));
    }
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
