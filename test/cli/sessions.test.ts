import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SessionRegistry } from "../../src/session/registry.ts";
import { newSessionId, type SessionId } from "../../src/base/ids.ts";
import { openStore } from "../../src/store/open.ts";
import type { Holder, Store } from "../../src/store/contract.ts";
import { cli, scratchFolder, type Ran } from "./harness.ts";

const scratch = scratchFolder();
const url = `sqlite:${path.join(scratch, "sessions.db")}`;
const holder: Holder = { host: "elsewhere/boot", pid: 4711, startedAt: "1" };
let store: Store;
let told: SessionId;
let fork: SessionId;
let busy: SessionId;

const sessions = (...argv: string[]): Promise<Ran> => cli(["sessions", ...argv, "--store", url]);

beforeAll(async () => {
  store = await openStore(url);
  const registry = new SessionRegistry({ store });
  ({ id: told } = await registry.create({
    cwd: "/project",
    title: "Told \u001b[31mred\u0007 title",
    client: { info: { name: "some-editor" }, capabilities: { fs: { readTextFile: true } } },
    agent: { info: { name: "some-agent" }, command: "agent" },
    mcpServerNames: ["files", "web"],
    settings: { modeId: "plan" },
    metadata: { team: "blue" },
  }));
  await registry.addMessage(told, { role: "user", content: "What is it?" });
  await registry.addMessage(told, { role: "assistant", content: "Two lines:\nthis one." });
  ({ id: fork } = await registry.fork(told));
  ({ id: busy } = await registry.create({ cwd: "/other" }));
  const taken = await store.acquire(busy, { holder, ttlMs: 60_000, mayTake: () => false });
  await store.renew({ ...taken.lease, turnRunning: true });
  await registry.close();
});
afterAll(() => store.close());

describe("sessions show", () => {
  it("shows facts, client, agent, MCP servers and messages", async () => {
    const { out } = await sessions("show", told);
    for (const part of [
      "some-editor",
      "readTextFile",
      "some-agent",
      "files, web",
      "plan",
      '{"team":"blue"}',
    ]) {
      expect(out).toContain(part);
    }
    expect(out).toMatch(/^user {2}.* {2}#1\n {2}What is it\?$/m);
    expect(out).toMatch(/^assistant {2}.* {2}#2\n {2}Two lines:\n {2}this one\.$/m);
    expect(out).toMatch(/^state: +idle$/m);
  });

  it("shows where a fork comes from, and what it shares", async () => {
    const { out } = await sessions("show", fork.toLowerCase());
    expect(out).toContain(`${told} after entry 2`);
    expect(out).toContain("What is it?");
  });

  it("shows who holds a session, and that a turn is running", async () => {
    expect((await sessions("show", busy)).out).toMatch(
      /state: +held by process 4711 on elsewhere, since .*, fence 1, a turn is running/,
    );
  });

  it("shows entries, and all of it as one JSON document", async () => {
    expect((await sessions("show", told, "--entries")).out).toMatch(
      /^1 {2}\S+ \S+ {2}message {2}\{.*What is it/m,
    );
    const messages = JSON.parse((await sessions("show", told, "--json")).out) as object;
    expect(messages).toMatchObject({
      session: { id: told },
      messages: [{ role: "user", content: [{ type: "text", text: "What is it?" }] }, { role: "assistant" }],
    });
    const entries = JSON.parse((await sessions("show", told, "--json", "--entries")).out) as object;
    expect(entries).toMatchObject({
      entries: [{ seq: 1, kind: "message", data: { role: "user" } }, { seq: 2 }],
    });
  });

  it("takes a part of an id, the newest of this folder, and an entry", async () => {
    expect((await sessions("show", told.slice(-6).toLowerCase(), "--json")).out).toContain(`"id":"${told}"`);
    const here = await new SessionRegistry({ store }).create({ cwd: process.cwd() });
    expect((await sessions("show", "last")).out).toContain(here.id);
    await store.delete(here.id);
    const { out } = await sessions("show", `${told}:2`);
    expect(out).toContain("Two lines:");
    expect(out).not.toContain("What is it?");
    expect(JSON.parse((await sessions("show", `${told}:1`, "--json", "--entries")).out)).toMatchObject({
      entries: [{ seq: 1 }],
    });
    expect(await sessions("rm", `${told}:1`)).toMatchObject({ status: 2, out: "" });
  });

  it("names the sessions that an address may mean, with status 2", async () => {
    const { status, err } = await sessions("show", told.slice(0, 6));
    expect(status).toBe(2);
    for (const id of [told, fork, busy]) expect(err).toContain(id);
  });

  it.each(["nonsense", newSessionId()])("has status 4 for an id that nobody has: %s", async (id) => {
    const { status, out, err } = await sessions("show", id);
    expect([status, out]).toEqual([4, ""]);
    expect(err).toContain(id);
  });
});

describe("sessions move", () => {
  it("puts a session into the folder to which its project has moved, and nowhere else", async () => {
    const folder = scratch;
    const registry = new SessionRegistry({ store });
    const { id } = await registry.create({ cwd: "/moved/away" });
    expect(await sessions("move", id, path.join(folder, "nowhere"))).toMatchObject({ status: 2, out: "" });
    expect(await sessions("move", id.toLowerCase(), folder)).toMatchObject({
      status: 0,
      out: `Moved ${id} from /moved/away to ${folder}\n`,
    });
    expect(JSON.parse((await sessions("move", id, "/", "--json")).out)).toEqual({
      id,
      from: folder,
      to: "/",
    });
    const { out } = await sessions("ls", "--cwd", "/", "--json");
    expect(JSON.parse(out)).toMatchObject({ sessions: [{ id, cwd: "/" }], total: 1 });
    expect((await sessions("move", newSessionId(), folder)).status).toBe(4);
    expect((await sessions("move", busy, folder)).status).toBe(3);
    await registry.close();
    await store.delete(id);
  });
});

describe("sessions show of what is nested too deep to be written by JSON.stringify", () => {
  it("shows it to the letter, as an entry and in a message", async () => {
    const registry = new SessionRegistry({ store });
    const { id } = await registry.create({ cwd: "/deep" });
    const nested = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
    const update = `{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"x","_meta":${nested}}}`;
    const data = [`{"update":${update}}`, `{"update":{"sessionUpdate":"_odd","n":1e999,"nested":${nested}}}`];
    const { journal } = await registry.open(id);
    await journal.append(data.map((each) => ({ kind: "update" as const, atMs: 1, data: each })));
    await journal.release();
    await registry.close();
    const entries = await sessions("show", id, "--entries", "--json");
    expect(entries).toMatchObject({ status: 0, err: "" });
    for (const each of data) expect(entries.out.includes(each)).toBe(true);
    const messages = await sessions("show", id, "--json");
    expect(messages).toMatchObject({ status: 0, err: "" });
    expect(messages.out.includes(nested)).toBe(true);
    expect((await sessions("show", id)).status).toBe(0);
    await store.delete(id);
  });
});

describe("sessions stats", () => {
  it("counts", async () => {
    const { out } = await sessions("stats");
    expect(out).toMatch(/^sessions: 3$/m);
    expect(out).toMatch(/^size: +\d/m);
    expect(out).toMatch(/^wal: +[\d.]+ (bytes|[KM]iB)$/m);
    expect(JSON.parse((await sessions("stats", "--json")).out)).toMatchObject({
      store: url,
      sessions: 3,
      capabilities: { persistent: true },
    });
  });
});
