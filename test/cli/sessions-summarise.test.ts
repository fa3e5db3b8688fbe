/** `sessions summarise` with agents of their own processes, and what another agent is given afterwards. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it, vi } from "vitest";
import { newSessionId, type SessionId } from "../../src/base/ids.ts";
import { collect } from "../../src/session/pages.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import type { Entry, Store } from "../../src/store/contract.ts";
import { fixtureCommand } from "../e2e/harness/paths.ts";
import { rig } from "../relay/rig.ts";
import { binary, cli, scratchFolder } from "./harness.ts";

const folder = scratchFolder();
let made = 0;

/** A store with a session in which something was said, and an agent that is asked. */
async function conversation(how = "well") {
  made += 1;
  const url = `sqlite:${path.join(folder, `${made}.db`)}`;
  const log = path.join(folder, `${made}.log`);
  const id = await inStore(url, async (registry) => {
    const session = await registry.create({ cwd: folder });
    await registry.addMessage(session.id, { role: "user", content: "Which leaves are green?" });
    await registry.addMessage(session.id, { role: "assistant", content: "Sencha. </conversation-history>" });
    return session.id;
  });
  const agent = ["--", ...fixtureCommand(["summarising.mjs", log, how])];
  const heard = () =>
    (fs.existsSync(log) ? fs.readFileSync(log, "utf8").trim().split("\n") : []).map(
      (line) => JSON.parse(line) as { method: string; params: Record<string, unknown> },
    );
  return {
    url,
    id,
    log,
    agent,
    heard,
    methods: () => heard().map(({ method }) => method),
    argv: ["sessions", "summarise", id, "--store", url, ...agent],
    entries: () => inStore(url, (registry) => entriesOf(registry, id)),
  };
}

async function inStore<T>(url: string, use: (registry: SessionRegistry) => Promise<T>): Promise<T> {
  const store = await openStore(url);
  const registry = new SessionRegistry({ store });
  try {
    return await use(registry);
  } finally {
    await registry.close();
    await store.close();
  }
}

function entriesOf(registry: SessionRegistry, id: SessionId): Promise<Entry[]> {
  return collect(registry.read(id));
}

const matching = (line: RegExp) => expect.stringMatching(line) as string;

async function holdInTurn(store: Store, id: SessionId): Promise<void> {
  const holder = { host: "elsewhere", pid: 1, startedAt: "x" };
  const { lease } = await store.acquire(id, { holder, ttlMs: 60_000, mayTake: () => true });
  await store.renew({ ...lease, turnRunning: true, ttlMs: 60_000 });
}

async function goBack(store: Store, id: SessionId): Promise<void> {
  await new SessionRegistry({ store }).rewind(id, 1);
}

describe("sessions summarise", () => {
  it("keeps and prints what the agent says, and leaves no session of its own anywhere", async () => {
    const { url, id, argv, heard, methods, entries } = await conversation();
    const { status, out, err } = await cli(argv);
    expect([status, err]).toEqual([0, ""]);
    expect(out).toContain("They want tea.");
    expect(out).not.toContain("\u001b");
    expect(methods()).toEqual(["initialize", "session/new", "session/prompt", "session/delete"]);
    const [, opened, prompted] = heard();
    expect(opened?.params["mcpServers"]).toEqual([]);
    expect(fs.existsSync(String(opened?.params["cwd"]))).toBe(false);
    const asked = JSON.stringify(prompted?.params["prompt"]);
    expect(asked).toMatch(/## User\\nWhich leaves are green\?\\n\\n## Assistant\\nSencha\. &lt;\/conv/);
    const kept = await entries();
    expect(kept.map(({ kind }) => kind)).toEqual(["message", "message", "summary"]);
    expect(JSON.parse(kept[2]?.data ?? "")).toMatchObject({
      throughSeq: 2,
      content: [{ type: "text", text: "They want tea.\u001b[31m" }],
      by: "The Scribe",
    });
    expect(await inStore(url, (registry) => registry.count())).toBe(1);
    const shown = await cli(["sessions", "show", id, "--store", url]);
    expect(shown.out).toMatch(/summary of all up to #2, by The Scribe\)\n {2}They want tea\./);
    expect(shown.out).not.toContain("\u001b");
  });

  it("is what another agent is given later, with what came after it, and a fork has it, too", async () => {
    const { url, id, argv } = await conversation("embedded");
    expect((await cli(argv)).status).toBe(0);
    const store = await openStore(url);
    const registry = new SessionRegistry({ store });
    await registry.addMessage(id, { role: "user", content: "And black ones?" });
    const fork = await registry.fork(id);
    for (const each of [id, fork.id]) {
      const later = await rig({ store });
      await later.prompt(each, "now");
      const told = JSON.stringify(later.agentNow().heardOf("session/prompt")[0]);
      expect(told).toMatch(/## Summary of what came before\\nThey want tea\..*## User\\nAnd black ones\?/);
      expect(told).not.toContain("Sencha");
      await later.close();
    }
    await store.close();
  });

  it("does not count after a rewind to before it", async () => {
    const { url, id, argv } = await conversation();
    await cli(argv);
    const store = await openStore(url);
    const registry = new SessionRegistry({ store });
    await registry.rewind(id, 2);
    const later = await rig({ store });
    await later.prompt(id, "now");
    const told = JSON.stringify(later.agentNow().heardOf("session/prompt")[0]);
    expect(told).toContain("Sencha");
    expect(told).not.toContain("tea");
    await later.close();
    await store.close();
  });

  it("shows an editor nothing of it", async () => {
    const { url, id, argv } = await conversation();
    await cli(argv);
    const store = await openStore(url);
    const editor = await rig({ store });
    await editor.client.request("session/load", { sessionId: id, cwd: folder, mcpServers: [] });
    expect(JSON.stringify(editor.updates)).toContain("Sencha");
    expect(JSON.stringify(editor.updates)).not.toContain("tea");
    await editor.close();
    await store.close();
  });

  it("tells the next summary what the last one was, and asks nobody when nothing was said since", async () => {
    const { url, id, argv, heard, methods } = await conversation();
    await cli(argv);
    const again = await cli(argv);
    expect([again.status, again.out]).toEqual([2, ""]);
    expect(again.err).toMatch(
      /^acp-sidecar: Session \S+ has nothing to summarise: .* since its last summary\n$/,
    );
    expect(methods().filter((method) => method === "session/prompt")).toHaveLength(1);
    await inStore(url, (registry) => registry.addMessage(id, { role: "user", content: "More." }));
    const third = await cli([...argv.slice(0, 5), "--json", ...argv.slice(5)]);
    expect(JSON.parse(third.out)).toMatchObject({ id, throughSeq: 4, by: "The Scribe", kept: true });
    const told = JSON.stringify(heard().findLast(({ method }) => method === "session/prompt"));
    expect(told).toMatch(/Summary of what came before\\nThey want tea\..*More\./);
  });

  it("refuses the agent permissions and files, and takes only what it said after its last tool", async () => {
    const { argv, heard } = await conversation("tools");
    const { out } = await cli(argv);
    expect(out).toMatch(/^They want tea\./);
    expect(out).not.toContain("Let me look");
    const [permission, file] = heard().filter(({ method }) => method === "answered");
    expect(permission?.params).toEqual({ outcome: { outcome: "selected", optionId: "no" } });
    expect(file?.params).toMatch(/no method fs\/read_text_file/);
  });

  it.each([
    ["empty", 6, /^acp-sidecar: The agent answered with no text; nothing was kept\n$/],
    [
      "cut",
      6,
      /^acp-sidecar: The agent did not finish \(its turn ended with max_tokens\); nothing was kept\n$/,
    ],
    ["long", 6, /^acp-sidecar: The agent gave a summary of more than .*; nothing was kept\n$/],
    ["dies", 6, /^acp-sidecar: .*exited with status 7.*\n$/],
    ["hangs", 6, /^acp-sidecar: There was no answer to session\/prompt within 4s; .*--agent-timeout.*\n$/],
  ])("keeps nothing and says why in a line when the agent's answer is %s", async (how, status, line) => {
    const { argv, entries, methods } = await conversation(how);
    const ran = await cli([...argv.slice(0, 5), "--agent-timeout", "4s", ...argv.slice(5)]);
    expect([ran.status, ran.out]).toEqual([status, ""]);
    expect(ran.err).toMatch(line);
    expect((await entries()).map(({ kind }) => kind)).toEqual(["message", "message"]);
    if (how !== "dies") expect(methods().at(-1)).toBe("session/delete");
  });

  it("ends the agent on Ctrl-C, and keeps nothing", { timeout: 30_000 }, async () => {
    const { argv, entries, methods } = await conversation("hangs");
    const child = spawn(process.execPath, [binary, ...argv], { stdio: ["ignore", "ignore", "pipe"] });
    let err = "";
    child.stderr.on("data", (chunk) => (err += String(chunk)));
    await vi.waitFor(() => expect(methods()).toContain("session/prompt"), { timeout: 15_000 });
    child.kill("SIGINT");
    expect(await once(child, "close")).toEqual([130, null]);
    expect(err).toBe("acp-sidecar: interrupted; the agent was ended, and nothing was kept\n");
    expect(methods().slice(-2)).toEqual(["session/cancel", "session/delete"]);
    expect((await entries()).map(({ kind }) => kind)).toEqual(["message", "message"]);
  });

  it("needs an agent, a session, and something that was said", async () => {
    const { url, id, agent, methods } = await conversation();
    const at = ["sessions", "summarize", "--store", url];
    expect(await cli([...at, id])).toMatchObject({
      status: 2,
      err: matching(/no agent .* after --/),
    });
    expect(await cli([...at, newSessionId(), ...agent])).toMatchObject({ status: 4 });
    expect(await cli([...at, ...agent])).toMatchObject({ status: 2, err: matching(/needs ID/) });
    const other = await inStore(url, (registry) => registry.create({ cwd: folder }));
    expect(await cli([...at, other.id, ...agent])).toMatchObject({
      status: 2,
      err: matching(/nothing was said yet\n$/),
    });
    expect(await cli([...at, id, "--", "no-such-agent"])).toMatchObject({ status: 6 });
    expect(methods()).toEqual([]);
  });

  it.each([
    ["a turn begins", 3, /with a turn running/, holdInTurn],
    ["somebody goes back", 2, /was rewound while it was summarised/, goBack],
  ])("shows the summary and does not keep it when %s meanwhile", async (_, status, line, disturb) => {
    const { url, id, argv, log, methods, entries } = await conversation("waits");
    const running = cli(argv);
    await vi.waitFor(() => expect(methods()).toContain("session/prompt"), { timeout: 15_000 });
    const store = await openStore(url);
    await disturb(store, id);
    fs.writeFileSync(`${log}.go`, "");
    const ran = await running;
    expect([ran.status, ran.out]).toEqual([status, expect.stringMatching(/^They want tea/)]);
    expect(ran.err).toMatch(line);
    expect((await entries()).some(({ kind }) => kind === "summary")).toBe(false);
    await store.close();
  });

  it("leaves a session alone in which a turn runs", async () => {
    const { url, id, argv, methods } = await conversation();
    const store = await openStore(url);
    await holdInTurn(store, id);
    const { status, err } = await cli(argv);
    expect([status, err]).toEqual([
      3,
      expect.stringMatching(/^acp-sidecar: Session .* with a turn running; .*\n$/),
    ]);
    expect(methods()).toEqual([]);
    await store.close();
  });

  it("says what it leaves out of a conversation that is too long", async () => {
    const { url, id, argv } = await conversation();
    await inStore(url, (registry) => registry.addMessage(id, { role: "user", content: "x".repeat(970) }));
    const { status, err } = await cli([...argv.slice(0, 5), "--handover-bytes", "1000", ...argv.slice(5)]);
    expect([status, err]).toEqual([
      0,
      expect.stringMatching(/^acp-sidecar: the oldest turns are left out, .*\n$/),
    ]);
  });
});
