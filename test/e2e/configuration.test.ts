/** Configuration that changes what a running sidecar does, and the exit statuses of the command line. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { toSessionId } from "../../src/base/ids.ts";
import { openStore } from "../../src/store/open.ts";
import { useHarness } from "./harness/harness.ts";
import { fixtureCommand } from "./harness/paths.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();

const listedIds = ({ stdout }: { readonly stdout: string }) =>
  (JSON.parse(stdout) as { sessions: { id: string }[] }).sessions.map(({ id }) => id);

async function lastUsedHoursAgo(url: string, sessionId: string, hours: number): Promise<void> {
  await using store = await openStore(url);
  await store.update(toSessionId(sessionId), { updatedAtMs: Date.now() - hours * 3_600_000 });
}

describe("a running sidecar", () => {
  it("detaches a session after the idle time, keeps its history and goes on with it [REQ config-idle]", async () => {
    const agent = ["agent.mjs", "--close", "--resume", "--state", harness.path("state")];
    const args = ["--idle-timeout", "100ms", "--sweep-interval", "50ms"];
    const client = await harness.connect({ agent, args });
    const { sessionId } = await client.newSession(cwd);
    await client.prompt(sessionId, "hello");
    const closed = () =>
      client.program.agents()[0]?.messages.some(({ method }) => method === "session/close");
    await expect.poll(closed, { timeout: 5000 }).toBe(true);
    expect(await client.say(sessionId, "again")).toBe("echo: again");
    expect(textOf(await client.replay(sessionId, cwd))).toBe("echo: helloecho: again");
  });

  it("leaves an idle session with an agent that could not take it up again [REQ idle-kept]", async () => {
    const args = ["--idle-timeout", "20ms", "--sweep-interval", "10ms"];
    const client = await harness.connect({ agent: ["agent.mjs", "--close"], args });
    const { sessionId } = await client.newSession(cwd);
    await client.prompt(sessionId, "hello");
    await new Promise((resolve) => setTimeout(resolve, 150));
    const known = JSON.parse(await client.say(sessionId, "recall")) as object;
    expect(known).toMatchObject({ boundBy: "new", prompts: 2 });
    const methods = client.program.agents()[0]?.messages.map(({ method }) => method);
    expect(methods).not.toContain("session/close");
  });

  it("deletes a session after the retention [REQ config-retention]", async () => {
    const store = harness.storeUrl();
    const args = ["--retention", "1h", "--idle-timeout", "100ms", "--sweep-interval", "50ms"];
    const client = await harness.connect({ agent: ["agent.mjs", "--resume"], args, store });
    const { sessionId } = await client.newSession(cwd);
    const count = async () => (await client.agent.request("session/list", {})).sessions.length;
    expect(await count()).toBe(1);
    await lastUsedHoursAgo(store, sessionId, 2);
    await expect.poll(count, { timeout: 5000 }).toBe(0);
  });

  it("neither detaches nor deletes a session in a turn [REQ config-idle, config-retention]", async () => {
    const agent = ["agent.mjs", "--close", "--resume"];
    const store = harness.storeUrl();
    const args = ["--idle-timeout", "400ms", "--retention", "1h", "--sweep-interval", "50ms"];
    const client = await harness.connect({ agent, args, store });
    const { sessionId } = await client.newSession(cwd);
    const from = client.program.out.length;
    const said = client.say(sessionId, "slow 1200");
    await client.untilUpdate(sessionId, () => true, from);
    await lastUsedHoursAgo(store, sessionId, 2);
    expect(await said).toBe("before after");
    const methods = client.program.agents()[0]?.messages.map(({ method }) => method);
    expect(methods?.indexOf("session/close")).toBe(-1);
  });

  it("keeps sessions in the user's data directory unless told otherwise", async () => {
    const client = await harness.connect({ store: null });
    const { sessionId } = await client.newSession(cwd);
    await harness.stop(client.program);
    expect(listedIds(await harness.cli(["sessions", "ls", "--json"]))).toEqual([sessionId]);
  });

  it("logs to stderr, or to the file that is named [REQ log-place]", async () => {
    const logFile = harness.path("log");
    const agent = ["noisy.mjs"];
    const toFile = await harness.connect({ agent, args: ["--log-level", "debug", "--log-file", logFile] });
    const toStderr = await harness.connect({ agent, args: ["--log-level", "debug"] });
    for (const { program } of [toFile, toStderr]) await harness.stop(program);
    expect(existsSync(logFile)).toBe(true);
    expect(readFileSync(logFile, "utf8")).not.toBe("");
    expect(toFile.program.stderr).toBe("");
    expect(toStderr.program.stderr).not.toBe("");
  });

  it("ends with status 2 and without its agent when the log cannot be written [REQ shutdown-group]", async () => {
    const logFile = join(harness.path("no-folder"), "log");
    const agent = fixtureCommand(["stubborn.mjs"]);
    const ended = await harness.cli(["--store", "memory:", "--log-file", logFile, "--", ...agent]);
    expect(ended).toMatchObject({ status: 2, stdout: "" });
    expect(ended.stderr).toContain(logFile);
  });

  it("is configured by flags before the environment, and by that before the file [REQ config-order]", async () => {
    const config = harness.path("config.json");
    writeFileSync(config, JSON.stringify({ maxSessions: 11, cancelGrace: "2s", idleTimeout: "3h" }));
    const env = { ACP_SIDECAR_MAX_SESSIONS: "12", ACP_SIDECAR_CANCEL_GRACE: "4s" };
    const flags = ["config", "--config", config, "--max-sessions", "13"];
    const { status, stdout } = await harness.cli([...flags, "--json"], { env });
    expect(status).toBe(0);
    for (const [name, value] of [
      ["maxSessions", "13"],
      ["cancelGrace", "4"],
      ["idleTimeout", "3"],
    ] as const) {
      expect(stdout).toContain(name);
      expect(stdout).toContain(value);
    }
    const table = await harness.cli(flags, { env });
    expect(table.stdout).toMatch(/max-?sessions.*13.*flag/i);
    expect(table.stdout).toMatch(/cancel-?grace.*4.*env/i);
    expect(table.stdout).toMatch(/idle-?timeout.*3.*(file|config)/i);
    expect(table.stdout).toMatch(/durability.*turn.*default/i);
  });
});

describe("the command line", () => {
  it.each([[["--help"]], [["sessions", "--help"]], [["doctor", "--help"]], [["config", "--help"]]])(
    "explains itself: %j [REQ cli-help]",
    async (args) => {
      const { status, stdout, stderr } = await harness.cli(args);
      expect([status, stderr]).toEqual([0, ""]);
      expect(stdout).toMatch(/usage/i);
    },
  );

  it("tells its version [REQ cli-help]", async () => {
    const { status, stdout } = await harness.cli(["--version"]);
    expect([status, stdout.trim()]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+/)]);
  });

  it.each([
    [["--no-such-flag"], "--no-such-flag"],
    [["no-such-command"], "no-such-command"],
    [["--durability", "maybe"], "maybe"],
    [["--max-sessions", "-1"], "max-sessions"],
    [["--cancel-grace", "soon"], "soon"],
    [["--store", "nonsense"], "nonsense"],
    [["--config", "/no/such/config.json"], "/no/such/config.json"],
  ])("answers %j by one line on stderr and status 2 [REQ cli-usage]", async (args, named) => {
    const { status, stdout, stderr } = await harness.cli(args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toContain(named);
  });

  it("says by its status what went wrong [REQ cli-status]", async () => {
    const unknown = await harness.cli(["sessions", "show", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]);
    expect([unknown.status, unknown.stdout]).toEqual([4, ""]);
    const plain = harness.path("plain-file");
    writeFileSync(plain, "no directory");
    const unopened = await harness.cli(["sessions", "ls", "--store", `sqlite:${plain}/sessions.db`]);
    expect([unopened.status, unopened.stdout]).toEqual([5, ""]);
    expect(unopened.stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  it("says to the client why a store cannot be opened, and opens it once that is mended [REQ bad-store, durable-store-fault]", async () => {
    const plain = harness.path("plain-file");
    writeFileSync(plain, "no directory");
    const client = await harness.connect({ store: `sqlite:${plain}/sessions.db` });
    const refusal = {
      data: { code: "STORE_UNAVAILABLE" },
      message: expect.stringContaining(plain) as string,
    };
    await expect(client.newSession(cwd)).rejects.toMatchObject(refusal);
    rmSync(plain);
    await client.newSession(cwd);
  });

  it("lists, shows, counts and removes what a sidecar has stored [REQ cli-sessions, new-record, initialize-client]", async () => {
    const store = harness.storeUrl();
    const client = await harness.connect({ store });
    const mcpServers = [{ name: "mcp-name", command: "/x", args: [], env: [] }];
    const { sessionId } = await client.newSession(cwd, { mcpServers, additionalDirectories: ["/tmp"] });
    await client.prompt(sessionId, "A title from a prompt");
    const listed = await harness.cli(["sessions", "ls", "--store", store, "--json"]);
    expect(listedIds(listed)).toEqual([sessionId]);
    const table = await harness.cli(["sessions", "ls", "--store", store]);
    expect(table.stdout).toContain("A title from a prompt");

    const shown = await harness.cli(["sessions", "show", sessionId, "--store", store, "--json"]);
    for (const part of [cwd, "/tmp", "mcp-name", "judge", "elicitation", "fixture-agent"]) {
      expect(shown.stdout).toContain(part);
    }
    const human = await harness.cli(["sessions", "show", sessionId, "--store", store]);
    expect(human.stdout).toContain("echo: A title from a prompt");
    const stats = await harness.cli(["sessions", "stats", "--store", store, "--json"]);
    expect(JSON.parse(stats.stdout)).toMatchObject({ sessions: 1 });

    await harness.stop(client.program);
    expect(
      (await harness.cli(["sessions", "gc", "--older-than", "1d", "--yes", "--store", store])).status,
    ).toBe(0);
    expect((await harness.cli(["sessions", "rm", sessionId, "--yes", "--store", store])).status).toBe(0);
    const gone = await harness.cli(["sessions", "ls", "--store", store, "--json"]);
    expect(listedIds(gone)).toEqual([]);
  });

  it("examines an agent and the store [REQ cli-doctor]", async () => {
    const agent = fixtureCommand(["agent.mjs", "--resume"]);
    const { status, stdout } = await harness.cli(["doctor", "--store", harness.storeUrl(), "--", ...agent]);
    expect(status).toBe(0);
    expect(stdout).toContain("Fixture agent");
    expect(stdout).toMatch(/session\/resume +yes +yes/);
    expect(stdout).toMatch(/session\/load +no +yes/);
  });
});
