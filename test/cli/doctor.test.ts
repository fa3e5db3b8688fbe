/** `doctor`, with the program as it is built. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it, vi } from "vitest";
import { fixtureCommand } from "../e2e/harness/paths.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import { replaceBytes } from "../store/sql/sqlite/damage.ts";
import { binary, cli, hasTerminal, onTerminal, scratchFolder } from "./harness.ts";

const folder = scratchFolder();
const store = `sqlite:${path.join(folder, "doctor.db")}`;

describe("doctor", () => {
  it("tells what the built-in agent can do by itself and through the sidecar, and that the store works", async () => {
    const { status, out } = await cli(["doctor", "--store", store]);
    expect(status).toBe(0);
    expect(out).toMatch(/^session\/load +no +yes$/m);
    expect(out).toMatch(/^session\/new +yes +yes$/m);
    expect(out).toMatch(/^writable: +yes, safe after [\d.]+ ms$/m);
    expect(out).toMatch(/^holds: +0 sessions, 0 entries/m);
    expect(out).toMatch(/^engine: +(node:sqlite|better-sqlite3) with SQLite 3\.\d+\.\d+$/m);
    expect(out).toContain("Nothing is wrong.");
    await cli(["token", "create", "--name", "a", "--scope", "read", "--store", store]);
    expect((await cli(["doctor", "--store", store])).out).toMatch(/^holds: +0 sessions,/m);
  });

  it.each([
    [["no-such-agent"], /could not be started/, /install the agent/],
    [[process.execPath, "-e", "process.exit(3)"], /exited with status 3/, /in a terminal/],
    [fixtureCommand(["agent.mjs", "--auth"]), /wants a login before session\/new/, /log in/],
  ])("says what is wrong with %j and how to mend it", async (agent, what, fix) => {
    const { status, out } = await cli(["doctor", "--json", "--store", store, "--", ...agent]);
    expect(status).toBe(6);
    const { ok, problems } = JSON.parse(out) as { ok: boolean; problems: { what: string; fix: string }[] };
    expect([ok, problems.length]).toEqual([false, 1]);
    expect(problems[0]?.what).toMatch(what);
    expect(problems[0]?.fix).toMatch(fix);
  });

  const agentSaying = (name: string, lines: readonly string[]) => {
    const file = path.join(folder, `${name}.mjs`);
    fs.writeFileSync(file, lines.join("\n"));
    return [process.execPath, file];
  };
  /** An agent that answers as `answers` says, by method: a result, or an error if it has a code. */
  const answering = (name: string, answers: object) =>
    agentSaying(name, [
      `import readline from "node:readline";`,
      `import fs from "node:fs";`,
      `const answers = ${JSON.stringify(answers)};`,
      `for await (const line of readline.createInterface({ input: process.stdin })) {`,
      `  const { id, method, params } = JSON.parse(line);`,
      `  fs.appendFileSync(${JSON.stringify(path.join(folder, `${name}.log`))}, JSON.stringify({ method, params }) + "\\n");`,
      `  if (id === undefined || method === undefined) continue;`,
      `  const answer = answers[method] ?? {};`,
      `  if (answer === "never") continue;`,
      `  const outcome = answer.code === undefined ? { result: answer } : { error: answer };`,
      `  process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, ...outcome }) + "\\n");`,
      `}`,
    ]);
  const problemsOf = async (agent: readonly string[], ...flags: string[]) => {
    const { out } = await cli(["doctor", "--json", "--store", store, ...flags, "--", ...agent]);
    return (JSON.parse(out) as { problems: { what: string; fix: string }[] }).problems;
  };

  it("shows what an agent says of an error beside its message, and the telling line of its stderr", async () => {
    const internal = { code: -32603, message: "Internal error", data: { details: "no model is configured" } };
    const refusing = answering("refusing", { initialize: { protocolVersion: 1 }, "session/new": internal });
    expect((await problemsOf(refusing))[0]?.what).toBe(
      "session/new was refused: Internal error (no model is configured)",
    );
    const crashing = agentSaying("crashing", [`throw new TypeError("no settings");`]);
    expect((await problemsOf(crashing))[0]?.what).toMatch(
      /exited with status 1; it said: TypeError: no settings$/,
    );
  });

  it.each([
    [{ id: "a", type: "terminal", args: ["auth", "log in"] }, / --key \*\*\* auth 'log in'$/],
    [
      { id: "b", _meta: { "terminal-auth": { command: "claude", args: ["/login"] } } },
      /^run claude \/login$/,
    ],
    [{ id: "c", type: "env_var", vars: [{ name: "SOME_KEY" }] }, /^set SOME_KEY$/],
  ])("tells how to log in where the agent says it: %j", async (method, fix) => {
    const answers = {
      initialize: { protocolVersion: 1, authMethods: [method] },
      "session/new": { code: -32000, message: "Authentication required" },
    };
    const agent = [...answering(`login-${method.id}`, answers), "--key", "hunter2"];
    expect((await problemsOf(agent))[0]?.fix).toMatch(fix);
  });

  it("takes its trial sessions back from an agent that can forget them", async () => {
    const initialize = {
      protocolVersion: 1,
      agentCapabilities: { sessionCapabilities: { delete: {}, close: {} } },
    };
    const agent = answering("forgetting", { initialize, "session/new": { sessionId: "theirs" } });
    expect((await cli(["doctor", "--store", store, "--", ...agent])).status).toBe(0);
    const heard = fs.readFileSync(path.join(folder, "forgetting.log"), "utf8").trimEnd().split("\n");
    const named = heard.map((line) => JSON.parse(line) as { method: string; params: { sessionId?: string } });
    const made = named.filter(({ method }) => method === "session/new");
    const gone = named.filter(
      ({ method, params }) => method === "session/delete" && params.sessionId === "theirs",
    );
    expect([made.length, gone.length]).toEqual([2, 2]);
  });

  it("tries a turn when it is given a prompt", async () => {
    const { status, out } = await cli(["doctor", "--store", store, "--prompt", "Say this"]);
    expect(status).toBe(0);
    expect(out).toMatch(/^session\/prompt +end_turn, \d+ ms, 8 characters +end_turn, \d+ ms, 8 characters$/m);
    const silent = await problemsOf(fixtureCommand(["agent.mjs"]), "--prompt", "plan");
    expect(silent[0]?.what).toMatch(/^The agent answered with no text \(its turn ended with end_turn\)$/);
  });

  // Without `script` there is no terminal to be had.
  it.skipIf(!hasTerminal)("says on a terminal what it does while it does it", () => {
    const { status, shown } = onTerminal(`$P doctor --store ${store} > /dev/null`);
    expect(status).toBe(0);
    for (const part of ["starting echo by itself", "through the sidecar", "opening the store"])
      expect(shown).toContain(part);
    expect(onTerminal(`$P doctor --quiet --store ${store} > /dev/null`).shown).toBe("");
  });

  it("ends the agent on Ctrl-C", async () => {
    const agent = answering("mute", { initialize: "never" });
    const child = spawn(process.execPath, [binary, "doctor", "--store", store, "--", ...agent], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let err = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    const closed = once(child, "close") as Promise<[number | null]>;
    const log = path.join(folder, "mute.log");
    await vi.waitFor(() => fs.statSync(log), { timeout: 20_000, interval: 20 });
    child.kill("SIGINT");
    expect(await closed).toEqual([130, null]);
    expect(err).toBe("acp-sidecar: interrupted; what it had started is ended; run it again to try all\n");
    const { stdout } = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" });
    expect(stdout).not.toContain(path.join(folder, "mute.mjs"));
  });

  it("names the session that is damaged in the store, and how to mend it; it writes nothing there", async () => {
    const file = path.join(folder, "damaged.db");
    const damaged = await openStore(`sqlite:${file}`);
    const { id } = await new SessionRegistry({ store: damaged }).create({ cwd: "/tmp/marked" });
    await damaged.close();
    expect(replaceBytes(file, '"cwd":"/tmp/marked"', '"cwd"="/tmp/marked"')).toBeGreaterThan(0);
    const { status, out } = await cli(["doctor", "--store", `sqlite:${file}`]);
    expect(status).toBeGreaterThan(0);
    expect(out).toMatch(new RegExp(`^WRONG: The store is damaged: .*${id}`, "m"));
    expect(out).toMatch(/^ {2}fix: .*acp-sidecar verify --repair$/m);
    expect(out).not.toContain("marked");
  });

  it("says that it made the store where none was, and finds it there the next time", async () => {
    const opens = async () =>
      /^opens: +(.*)$/m.exec((await cli(["doctor", "--store", `file:${folder}/new`])).out)?.[1];
    expect(await opens()).toBe("yes, made now: nothing was there");
    expect(await opens()).toBe("yes");
  });

  it("says what is wrong with the store", async () => {
    const file = path.join(folder, "not-a-folder");
    fs.writeFileSync(file, "");
    const { status, out } = await cli(["doctor", "--store", `sqlite:${file}/sessions.db`]);
    expect(status).toBe(5);
    expect(out).toMatch(/^WRONG: The store: .*not-a-folder/m);
    expect(out).toMatch(/^ {2}fix: check that the folder/m);
  });
});
