/** What is recorded of sessions that an editor drives, and who is told when one is taken away. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeServer } from "../store/servers.ts";
import { postgresSandbox } from "../store/sql/postgres/sandbox.ts";
import { useHarness } from "./harness/harness.ts";
import type { SdkClient } from "./harness/sdk-client.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();
const token = "ghp_0123456789abcdefghijABCDEFGHIJ";

/** A sidecar with an audit log of its own. */
async function audited(options: Parameters<typeof harness.connect>[0] = {}) {
  const state = harness.path("state");
  const env = { XDG_STATE_HOME: state, FIXTURE_TOKEN: "secret-of-the-environment", ...options.env };
  const client = await harness.connect({ ...options, env });
  const folder = join(state, "acp-sidecar");
  return {
    client,
    state,
    bytes: () =>
      readdirSync(folder, { withFileTypes: true })
        .filter((each) => each.isFile())
        .map(({ name }) => readFileSync(join(folder, name), "utf8"))
        .join(""),
    records: () =>
      existsSync(join(folder, "audit.jsonl"))
        ? readFileSync(join(folder, "audit.jsonl"), "utf8")
            .split("\n")
            .filter((line) => line !== "")
            .map(
              (line) =>
                JSON.parse(line) as { what: string; facts?: Record<string, unknown> } & Record<
                  string,
                  unknown
                >,
            )
        : [],
  };
}

const allowing = {
  "session/request_permission": () => ({ outcome: { outcome: "selected", optionId: "yes" } }),
};

describe("a turn in which a permission is asked for", () => {
  it("is recorded: what for and what was decided; nothing that was said, done or is secret [REQ private-logs]", async () => {
    const mcpServers = [{ name: "m", command: "/bin/true", args: ["--api-key=secret-argument"], env: [] }];
    const { client, bytes, records, state } = await audited({ answers: allowing });
    const { sessionId } = await client.newSession(cwd, { mcpServers });
    const titled = `deploy secret-argument secret-of-the-environment ${token} \u001b[2J\u202eX ${"long ".repeat(200)}`;
    await client.prompt(sessionId, `the-prompt\npermission for ${titled}`);
    await client.load(sessionId, cwd);
    await client.agent
      .request("session/load", { sessionId: "nobody's", cwd, mcpServers: [] })
      .catch(() => undefined);
    await harness.stop(client.program);
    const found = records();
    expect(found.map(({ what, outcome }) => `${what} ${String(outcome)}`)).toEqual([
      "config done",
      "session.create done",
      "permission.ask done",
      "permission.decide done",
      "access.refuse refused",
    ]);
    expect(found[0]?.facts).toMatchObject({
      audit: "on",
      durability: "turn",
      version: expect.any(String) as string,
    });
    expect(found[2]).toMatchObject({ session: sessionId, via: "acp", facts: { kind: "delete" } });
    expect(String(found[2]?.facts?.["title"])).toMatch(/^deploy \[redacted\] .*…$/);
    expect(String(found[2]?.facts?.["title"]).length).toBeLessThanOrEqual(201);
    expect(found[3]?.facts).toMatchObject({ decision: "allow_once" });
    expect(found[4]).toMatchObject({
      session: "nobody's",
      code: "SESSION_NOT_FOUND",
      facts: { method: "session/load" },
    });
    const all = bytes();
    for (const secret of [
      "secret-argument",
      "secret-of-the-environment",
      token,
      "the-prompt",
      "the-content",
      "the-script",
      "\u001b",
      "\u202e",
    ])
      expect(all, secret).not.toContain(secret);
    const { status, stdout } = await harness.cli(["audit", "verify"], { env: { XDG_STATE_HOME: state } });
    expect([status, stdout]).toEqual([0, expect.stringContaining("5 lines: as they were written") as string]);
  });

  it("has no title in it where the store is encrypted", async () => {
    const key = Buffer.alloc(32, 7).toString("base64");
    const env = { THE_KEY: key };
    const { client, bytes } = await audited({
      answers: allowing,
      args: ["--encryption-key", "env:THE_KEY"],
      env,
    });
    const { sessionId } = await client.newSession(cwd);
    await client.prompt(sessionId, "permission for the-marked-title");
    await harness.stop(client.program);
    expect(bytes()).toContain("permission.decide");
    expect(bytes()).not.toContain("the-marked-title");
    expect(bytes()).not.toContain(key);
  });

  it("is refused to the agent where that must be recorded and cannot be; so is a session", async () => {
    const blocked = ["--audit", "required", "--audit-file", "/proc/none/audit.jsonl"];
    const { client } = await audited({ answers: allowing, args: blocked });
    const refused = await client.newSession(cwd).catch((error: unknown) => error);
    expect(refused).toMatchObject({ data: { code: "AUDIT_FAILED" } });
    expect(String((refused as Error).message)).toMatch(
      /^The audit log \/proc\/none.* cannot be written.*audit is required/,
    );
    await harness.stop(client.program);
  });
});

/** Two sidecars on one store; the second takes the session of the first. */
async function takenOver(store: string): Promise<void> {
  const agent = ["agent.mjs", "--load", "--state", harness.path("state")];
  const first = await audited({ agent, store, args: ["--lease-ttl", "900ms"] });
  const second = await audited({ agent, store });
  const { sessionId } = await first.client.newSession(cwd);
  await first.client.prompt(sessionId, "by the first");
  const from = first.client.program.out.length;
  await second.client.load(sessionId, cwd);
  // Nobody asks the first one for anything.
  const told = await toldIn(first.client, sessionId, from);
  expect(told).toMatch(
    /^\s*This session was taken over elsewhere \(\S+@\S+, process \d+ on \S+\)\. .*load the session again/,
  );
  expect(told).toContain(`process ${second.client.program.pid} `);
  expect(await second.client.say(sessionId, "mine")).toBe("echo: mine");
  // It stands in no journal, and it is told once.
  expect(textOf(await second.client.replay(sessionId, cwd))).not.toContain("taken over");
  const refused = await first.client.prompt(sessionId, "late").catch((error: unknown) => error);
  expect(refused).toMatchObject({ data: { code: "LEASE_LOST" } });
  await first.client.load(sessionId, cwd);
  expect(await first.client.say(sessionId, "back")).toBe("echo: back");
  await harness.stop(second.client.program);
  await harness.stop(first.client.program);
  const lost = first.records().filter(({ what }) => what === "session.lost");
  expect(lost).toHaveLength(1);
  expect(lost[0]).toMatchObject({ session: sessionId, outcome: "failed", code: "LEASE_LOST" });
  const taken = second.records().find(({ what }) => what === "session.takeover");
  expect(taken).toMatchObject({
    session: sessionId,
    facts: { from: expect.stringContaining(`process ${first.client.program.pid} on `) as string },
  });
}

async function toldIn(client: SdkClient, sessionId: string, from: number): Promise<string> {
  await client.untilUpdate(
    sessionId,
    (update) => JSON.stringify(update).includes("taken over elsewhere"),
    from,
  );
  const said = client.program.out.messages(from).map((message) => JSON.stringify(message));
  const line = said.find((each) => each.includes("taken over elsewhere")) ?? "";
  const { params } = JSON.parse(line) as { params: { update: { content: { text: string } } } };
  return params.update.content.text;
}

describe("a session that is taken over while nobody asks for it", () => {
  it("is said in words to the one who had it, and recorded on both sides [REQ lease-lost]", () =>
    takenOver(harness.storeUrl()));

  it("is so when it was deleted", async () => {
    // So long that who deletes it has seldom taken it and not yet deleted it when its holder looks.
    const store = harness.storeUrl();
    const { client } = await audited({ store, args: ["--lease-ttl", "6s"] });
    const { sessionId } = await client.newSession(cwd);
    await client.prompt(sessionId, "hello");
    const from = client.program.out.length;
    await harness.cli(["sessions", "rm", sessionId, "--yes", "--store", store, "--trash", "off"]);
    await client.untilUpdate(
      sessionId,
      (update) => JSON.stringify(update).includes("was deleted elsewhere"),
      from,
    );
  });

  describeServer("TEST_POSTGRES_URL", 5432, (url) => {
    it("is said over PostgreSQL, too", { tags: ["long"] }, async () => {
      const sandbox = postgresSandbox(url);
      try {
        await takenOver(sandbox.url);
      } finally {
        await sandbox.close();
      }
    });
  });
});
