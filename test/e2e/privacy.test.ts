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

/** Each in its place, and each so that it must be found in another form than it is given in. */
const quoted = {
  environment: "qq-environment-1/+=",
  "environment of lines": "qq-lines-1\nqq-lines-2-of-them",
  "environment with quotes": 'qq-"quoted" \\ 1',
  argument: "qq-argument-1",
  "argument behind its flag": "qq-argument-2",
  header: "qq-header-1",
  "header of the web": "qq-bearer-1",
  "URL's password": "qq-p@ss w'ord",
  "URL's query": "qq-query-1",
  "store's password": "qq-store-1",
  "agent's argument": "qq-agent-argument",
  "agent's environment": "qq-inherited-1",
  "answer of a person": "qq-answer-1",
};
const promptMark = "qq-prompt-mark";

const quotedServers = [
  {
    name: "one",
    command: "/bin/true",
    args: [`--api-key=${quoted.argument}`, "--token", quoted["argument behind its flag"]],
    env: [
      { name: "SETTING", value: quoted.environment },
      { name: "PRIVATE", value: quoted["environment of lines"] },
      { name: "OTHER", value: quoted["environment with quotes"] },
    ],
  },
  {
    type: "http" as const,
    name: "two",
    url: `https://me:${encodeURIComponent(quoted["URL's password"])}@host.example/?api_key=${quoted["URL's query"]}`,
    headers: [
      { name: "X-Any", value: quoted.header },
      { name: "Authorization", value: `Bearer ${quoted["header of the web"]}` },
    ],
  },
];

/** An agent that quotes all of it is made to fail in every way. */
async function quotedConversation(level: string, logFile?: string) {
  const file = harness.path("sessions.db");
  const client = await harness.connect({
    agent: ["quoting.mjs", `--api-key=${quoted["agent's argument"]}`],
    store: `layered:${JSON.stringify(["memory:", `sqlite:${file}`])}`,
    args: ["--log-level", level, ...(logFile === undefined ? [] : ["--log-file", logFile])],
    env: { FIXTURE_TOKEN: quoted["agent's environment"] },
    answers: {
      "elicitation/create": () => ({
        action: "accept",
        content: { token: quoted["answer of a person"] },
      }),
    },
  });
  const { sessionId } = await client.newSession(cwd, { mcpServers: quotedServers });
  const ask = (method: string, params: object) =>
    client.agent.request(method, params).catch((error: unknown) => JSON.stringify(error) + String(error));
  const errors = [
    await client.prompt(sessionId, `${promptMark} elicit`).catch(String),
    await ask("session/prompt", { sessionId, prompt: [{ type: "text", text: `${promptMark} refuse` }] }),
    await ask("session/set_mode", { sessionId, modeId: "none" }),
    await ask("session/list", {}),
    await ask("_provider/set", { provider: { password: quoted["store's password"] } }),
    await ask("session/prompt", { sessionId, prompt: [{ type: "text", text: `${promptMark} crash` }] }),
    await ask("session/load", { sessionId, cwd, mcpServers: quotedServers }),
    await ask("session/close", { sessionId }),
  ];
  await harness.stop(client.program);
  const log = logFile === undefined ? "" : readFileSync(logFile, "utf8");
  return { errors: JSON.stringify(errors), stored: storedBytes(file), log, stderr: client.program.stderr };
}

/** Every form in which a secret may be read out of a text. */
function formsOf(secret: string): string[] {
  const escaped = (text: string) => JSON.stringify(text).slice(1, -1);
  const inJson = escaped(secret);
  const forms = [secret, ...secret.split("\n"), encodeURIComponent(secret)];
  return [...forms, inJson, escaped(inJson), escaped(escaped(inJson)), escaped(escaped(escaped(inJson)))];
}

describe("secrets that an agent quotes", () => {
  for (const [level, where, tags] of [
    ["debug", "a file", []],
    ["debug", "stderr", ["long"]],
    ["warn", "a file", ["long"]],
  ] as const)
    it(
      `are in no error, store or log at ${level} to ${where} [REQ private-logs, private-errors]`,
      { tags: [...tags] },
      async () => {
        const said = await quotedConversation(level, where === "a file" ? harness.path("log") : undefined);
        const found = Object.entries(said).flatMap(([place, text]) =>
          Object.entries(quoted).flatMap(([kind, secret]) =>
            formsOf(secret)
              .filter((form) => text.includes(form))
              .map((form) => `${kind} in ${place}: ${form}`),
          ),
        );
        expect(found).toEqual([]);
        // What it says is passed on all the same.
        expect(said.stderr).toContain("mcpServers");
        if (level === "warn") expect(said.log).not.toContain(promptMark);
        if (level === "warn") expect(said.log).toContain("the agent did not list its sessions");
      },
    );
});

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
