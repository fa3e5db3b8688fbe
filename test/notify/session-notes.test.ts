/** What is noted of what is done to sessions, as the next process finds it. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import { createLogger } from "../../src/base/log.ts";
import { newSessionId, type SessionId } from "../../src/base/ids.ts";
import { thisOwner, uselessMs } from "../../src/base/owner.ts";
import { hookEvents, type Hook, type HookEvent } from "../../src/config/structures.ts";
import { Hooks } from "../../src/notify/hooks.ts";
import { SessionNotes } from "../../src/notify/session-notes.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import { receiver, type TestReceiver } from "./receiver.ts";

const root = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-session-notes-"));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

let folder: string;
let logged: string[];
let number = 0;
beforeEach(() => {
  folder = path.join(root, String((number += 1)));
  logged = [];
});

const url = "sqlite:/one.db";
const log = createLogger({ level: "warn", target: { write: (line) => logged.push(line) } });
const files = () => fs.readdirSync(path.join(folder, "sessions"));
const hookOf = (server: TestReceiver, name = "", on: readonly HookEvent[] = hookEvents): Hook => ({
  on,
  content: false,
  post: `${server.url}/${name}`,
  timeoutMs: 5000,
});
const { pid: gonePid } = spawnSync("true");
const gone = { ...thisOwner(), pid: gonePid, startedAt: "1" };

async function aRegistry() {
  const store = await openStore("memory:");
  const registry = new SessionRegistry({ store });
  const notesFor = (hooks: readonly Hook[], at = url) =>
    new SessionNotes({ folder, url: at, stored: (id) => store.get(id), hooks, log, mostNotes: 100 });
  return { registry, store, notesFor, [Symbol.asyncDispose]: () => registry.close() };
}

/** Told by a process that starts with these hooks, and ends when it has told what was left. */
async function started(
  { registry, notesFor }: Awaited<ReturnType<typeof aRegistry>>,
  hooks: readonly Hook[],
) {
  const sessions = notesFor(hooks);
  const here = new Hooks({ config: { hooks }, registry, sessions, log, folder });
  const end = () => here.close(5000);
  return { end, take: here.take, sessions };
}

/** What is done is noted here, and told nobody: then its process is gone. */
async function leave(
  { registry, notesFor }: Awaited<ReturnType<typeof aRegistry>>,
  hooks: readonly Hook[],
  act: () => Promise<unknown>,
  at = url,
): Promise<string> {
  const before = fs.existsSync(path.join(folder, "sessions")) ? files() : [];
  const unfollow = registry.follow(() => undefined, { notes: notesFor(hooks, at) });
  await act();
  unfollow();
  const [name = ""] = files().filter((each) => !before.includes(each));
  const file = path.join(folder, "sessions", name);
  belongsTo(file, gone);
  return file;
}

function belongsTo(file: string, owner: object): void {
  const text = fs.readFileSync(file, "utf8");
  fs.writeFileSync(file, text.replace(JSON.stringify(thisOwner()), JSON.stringify(owner)));
}

const eventsOf = (server: TestReceiver, name = "") =>
  server.got
    .filter((each) => each.path === `/${name}`)
    .map(({ body }) => `${String(body["event"])} ${String(body["sessionId"])}`);

it("is told by each who has one of the hooks that it was for, and is gone when all have been", async () => {
  await using server = await receiver();
  await using at = await aRegistry();
  const [one, other, third] = [hookOf(server, "one"), hookOf(server, "other"), hookOf(server, "third")];
  let id = newSessionId();
  await leave(at, [one, other], async () => ({ id } = await at.registry.create({ cwd: "/work" })));
  await (await started(at, [third])).end();
  expect(server.got).toEqual([]);
  for (const hook of [other, one]) {
    expect(files().length).toBe(1);
    const here = await started(at, [hook, third]);
    await server.count(hook === other ? 1 : 2);
    await here.end();
  }
  expect([...eventsOf(server, "other"), ...eventsOf(server, "one")]).toEqual([
    `session.created ${id}`,
    `session.created ${id}`,
  ]);
  expect(eventsOf(server, "third")).toEqual([]);
  expect(files()).toEqual([]);
});

it("is known to be done even when it has been undone since", async () => {
  await using server = await receiver();
  await using at = await aRegistry();
  const hooks = [hookOf(server)];
  const { id } = await at.registry.create({ cwd: "/work" });
  await leave(at, hooks, () => at.registry.archive(id));
  await at.registry.unarchive(id);
  await leave(at, hooks, () => at.registry.remove(id));
  await at.registry.trash.restore(id);
  const here = await started(at, hooks);
  await server.count(2);
  await here.end();
  expect(eventsOf(server)).toEqual([`session.archived ${id}`, `session.ended ${id}`]);
});

it("is told of what was done before that could be noted, and not of what was not", async () => {
  await using server = await receiver();
  await using at = await aRegistry();
  const hooks = [hookOf(server)];
  const { id } = await at.registry.create({ cwd: "/work" });
  const parts: [string, SessionId][] = [];
  const begun = async (act: (session: SessionId) => Promise<unknown>, session = id) => {
    const file = await leave(at, hooks, () => act(session));
    const [first = ""] = fs.readFileSync(file, "utf8").split("\n");
    // The second line was not whole yet.
    fs.writeFileSync(file, `${first}\n{"fac`);
    parts.push([file, session]);
  };
  let fork = newSessionId();
  await begun(async () => ({ id: fork } = await at.registry.fork(id)));
  await begun(() => at.registry.archive(id));
  const other = await at.registry.create({ cwd: "/work" });
  await begun(() => at.registry.delete(other.id), other.id);
  const kept = await at.registry.create({ cwd: "/work" });
  await begun(() => at.registry.remove(kept.id), kept.id);
  // As if it had not been.
  await at.registry.trash.restore(kept.id);
  const here = await started(at, hooks);
  await server.count(3);
  await expect.poll(files).toEqual([]);
  await here.end();
  expect(eventsOf(server)).toEqual([
    `session.created ${fork}`,
    `session.archived ${id}`,
    `session.ended ${other.id}`,
  ]);
  expect(server.got[0]?.body).toMatchObject({ parentId: id });
});

it("is left alone where another process, machine or store has it, and goes when it is of no use any more", async () => {
  await using server = await receiver();
  await using at = await aRegistry();
  const hooks = [hookOf(server)];
  const make = () => at.registry.create({ cwd: "/work" });
  belongsTo(await leave(at, hooks, make), gone);
  const [mine = ""] = files();
  const live = path.join(folder, "sessions", mine);
  fs.writeFileSync(
    live,
    fs.readFileSync(live, "utf8").replace(JSON.stringify(gone), JSON.stringify(thisOwner())),
  );
  const elsewhere = await leave(at, hooks, make);
  const text = fs.readFileSync(elsewhere, "utf8");
  fs.writeFileSync(elsewhere, text.replace(`"space":"${gone.space}"`, `"space":"000000000000"`));
  await leave(at, hooks, make, "sqlite:/other.db");
  const [old, torn] = [
    await leave(at, hooks, make, "sqlite:/other.db"),
    path.join(folder, "sessions", "torn"),
  ];
  fs.writeFileSync(torn, "");
  const past = (Date.now() - uselessMs - 60_000) / 1000;
  for (const file of [old, torn]) fs.utimesSync(file, past, past);
  const here = await started(at, hooks);
  await here.end();
  expect(server.got).toEqual([]);
  expect(files().length).toBe(3);
  expect(fs.existsSync(old) || fs.existsSync(torn)).toBe(false);
});

it("is not noted where nobody wants to know, and not kept where nothing was done", async () => {
  await using server = await receiver();
  await using at = await aRegistry();
  const notes = at.notesFor([hookOf(server, "", ["session.ended", "turn.ended"])]);
  at.registry.follow(() => undefined, { notes });
  const { id } = await at.registry.create({ cwd: "/work" });
  await at.registry.archive(id);
  expect(fs.existsSync(folder)).toBe(false);
  expect(await at.registry.remove(newSessionId())).toBe(false);
  await at.registry.end(newSessionId()).catch(() => undefined);
  expect(files()).toEqual([]);
  const refused = new SessionRegistry({ store: at.store });
  refused.follow(() => undefined, { notes: at.notesFor([hookOf(server)]) });
  refused.on("create", () => Promise.reject(new Error("no")));
  await expect(refused.create({ cwd: "/work" })).rejects.toThrow("no");
  expect(files()).toEqual([]);
});

it("is bounded: where too much waits, what is done is told only by its own process", async () => {
  await using server = await receiver();
  await using at = await aRegistry();
  const there = path.join(folder, "sessions");
  fs.mkdirSync(there, { recursive: true });
  for (let n = 0; n < 100; n += 1) fs.writeFileSync(path.join(there, `left-${n}`), "");
  const hooks = [hookOf(server)];
  const here = await started(at, hooks);
  at.registry.follow(here.take, { notes: here.sessions });
  const { id } = await at.registry.create({ cwd: "/work" });
  expect(files().length).toBe(100);
  await server.count(1);
  await here.end();
  expect(eventsOf(server)).toEqual([`session.created ${id}`]);
  expect(logged.join("")).toContain("the outbox is full");
});
