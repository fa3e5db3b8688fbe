/** What must not be found in logs, errors and the store. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import { RawClient } from "./harness/raw-client.ts";

const harness = useHarness();
const cwd = harness.project();

const mcpServers = [
  {
    name: "visible-name",
    command: "/secret-command",
    args: ["--key=secret-argument"],
    env: [{ name: "API_KEY", value: "secret-environment" }],
  },
  {
    type: "http" as const,
    name: "web",
    url: "https://secret-host/",
    headers: [{ name: "A", value: "secret-header" }],
  },
];
const mcpSecrets = /secret-(command|argument|environment|header|host)/;
const agentSecret = "secret-agent-argument";
const prompt = "the-prompt-text";
const contents = "the-file-contents";

/** All bytes of the database, its WAL included. */
function storedBytes(file: string): string {
  return readdirSync(dirname(file))
    .filter((name) => name.startsWith(basename(file)))
    .map((name) => readFileSync(join(dirname(file), name), "latin1"))
    .join("");
}

/** A conversation with secrets in every place that may have them. */
async function secretConversation(level: string) {
  const file = harness.path("sessions.db");
  const logFile = harness.path("log");
  const client = await harness.connect({
    agent: ["agent.mjs", "--name", agentSecret],
    store: `sqlite:${file}`,
    args: ["--log-level", level, "--log-file", logFile],
    env: { FIXTURE_TOKEN: "secret-token-of-the-environment" },
    answers: { "fs/read_text_file": () => ({ content: contents }) },
  });
  const { sessionId } = await client.newSession(cwd, { mcpServers });
  await client.prompt(sessionId, `${prompt}\nread /file\nnoise\nstream 3`);
  await client.agent.request("session/load", { sessionId, cwd, mcpServers });
  await client.prompt(sessionId, `${prompt}\ncrash 3`).catch(() => undefined);
  await client.prompt(sessionId, prompt);
  const stored = storedBytes(file);
  await harness.stop(client.program);
  const log = `${readFileSync(logFile, "utf8")}${client.program.stderr}`;
  return { file, stored: `${stored}${storedBytes(file)}`, log, sessionId };
}

describe("secrets", () => {
  it("of MCP servers are in no store and no log, at no level; their names are kept [REQ new-secrets, private-logs, new-record]", async () => {
    const { stored, log } = await secretConversation("debug");
    expect(stored).not.toMatch(mcpSecrets);
    expect(log).not.toMatch(mcpSecrets);
    expect(stored).toContain("visible-name");
    expect(`${stored}${log}`).not.toContain("secret-token-of-the-environment");
  });

  it("stay out of the log with prompts and file contents, above debug [REQ private-logs, log-place]", async () => {
    const { log } = await secretConversation("info");
    expect(log).not.toContain(prompt);
    expect(log).not.toContain(contents);
    expect(log).not.toMatch(mcpSecrets);
    expect(log).not.toContain(agentSecret);
  });

  it("are not repeated in errors [REQ private-errors]", async () => {
    const client = new RawClient(harness.sidecar());
    await client.initialize();
    const sessionId = await client.newSession(cwd);
    const errors = [
      await client.exchange(`{"secret": "secret-json", \n`),
      await client.exchange(`["secret-batch"]\n`),
      await client.ask("session/new", { cwd: "secret/relative", mcpServers: [{ env: "secret-env" }] }),
      await client.ask("session/prompt", { sessionId, prompt: "secret-prompt" }),
      await client.ask("session/prompt", {
        sessionId,
        prompt: [{ type: "text", text: "secret-prompt\ncrash 3" }],
      }),
    ];
    const texts = errors.map(({ error }) => JSON.stringify(error)).join("\n");
    expect(texts).not.toMatch(/secret-(json|batch|env|prompt)/);
  });

  it("are in a file that only the user can read [REQ private-store]", async () => {
    const { file } = await secretConversation("info");
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});
