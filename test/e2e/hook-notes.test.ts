/** Hooks on what is done to sessions: by whichever program, and wherever it is killed, they are told. */
import { randomBytes } from "node:crypto";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import type { SessionId } from "../../src/base/ids.ts";
import { hookEvents } from "../../src/config/structures.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openGuarded } from "../../src/store/guarded/open.ts";
import { receiver, type TestReceiver } from "../notify/receiver.ts";
import { fixtureCommand, root, sidecarBin } from "./harness/paths.ts";
import { useHarness } from "./harness/harness.ts";

const harness = useHarness();
const killer = pathToFileURL(join(root, "test/fixtures/kill-at-note.mjs")).href;
const words = "Xylophonemarker";
const monthMs = 30 * 86_400_000;

/** When a program is killed: see the fixture. */
type Moment = "begun" | "done" | "noted" | "told";

function at(moment: Moment, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, NODE_OPTIONS: `--import=${killer}`, KILL_AT: moment };
}

/** A store, an outbox, and a configuration that has a hook on all that is done to sessions. */
function placed(server: TestReceiver, more: object = {}) {
  const config = harness.path("config.json");
  const on = hookEvents.filter((event) => event.startsWith("session."));
  writeFileSync(config, JSON.stringify({ hooks: [{ on, post: server.url }], ...more }));
  const state = harness.path("state");
  const [store, env] = [harness.storeUrl(), { XDG_STATE_HOME: state, XDG_CACHE_HOME: state }];
  const outbox = join(state, "acp-sidecar", "outbox");
  const waiting = () =>
    readdirSync(outbox, { recursive: true, encoding: "utf8" })
      .map((name) => join(outbox, name))
      .filter((file) => statSync(file).isFile());
  return { config, env, store, waiting };
}

/** Starts a sidecar, which tells what others have left, and ends it when so much has been told. */
async function next(
  { config, env, store, waiting }: ReturnType<typeof placed>,
  server: TestReceiver,
  many: number,
): Promise<void> {
  const client = await harness.connect({ args: ["--config", config], env, store });
  await server.count(many);
  await nothingWaits(waiting);
  await harness.stop(client.program);
}

async function nothingWaits(waiting: () => readonly string[]): Promise<void> {
  await expect.poll(waiting, { timeout: 15_000 }).toEqual([]);
}

const toldBy = (server: TestReceiver) =>
  server.got.map(({ body }) => `${String(body["event"])} ${String(body["sessionId"])}`).sort();

it(
  "what commands did to sessions of an encrypted store before they were killed is told by the next sidecar",
  { timeout: 60_000, tags: ["long"] },
  async () => {
    await using server = await receiver();
    const key = harness.path("key");
    writeFileSync(key, randomBytes(32).toString("base64"), { mode: 0o600 });
    const encryptionKey = `file:${key}`;
    const place = placed(server, { encryptionKey });
    const store = await openGuarded(place.store, { encryptionKey });
    const make = async (now: number, title: string) => {
      const registry = new SessionRegistry({ store, now: () => now });
      const { id } = await registry.create({ cwd: `/${words}`, title });
      await registry.addMessage(id, { role: "user", content: [{ type: "text", text: words }] });
      return id;
    };
    const [forked, archived, removed, forced, expired] = [
      await make(Date.now(), words),
      await make(Date.now(), words),
      await make(Date.now(), words),
      await make(Date.now(), words),
      await make(Date.now() - 2 * monthMs, words),
    ];
    await store.close();
    const flags = ["--store", place.store, "--config", place.config];
    const bundle = harness.path("one.acpbundle");
    const env = { ...process.env, ...place.env };
    const apart = await aSessionElsewhere(bundle, env);
    const commands = [
      ["sessions", "fork", forked],
      ["sessions", "archive", archived],
      ["sessions", "rm", removed, "--yes"],
      ["sessions", "rm", forced, "--yes", "--force"],
      ["sessions", "gc", "--older-than", "30d", "--yes"],
      ["import", bundle],
    ];
    for (const command of commands)
      expect([command, (await harness.cli([...command, ...flags], { env: at("done", env) })).status]).toEqual(
        [command, null],
      );
    expect(server.got).toEqual([]);
    // Nothing of what is in the store, and for nobody else.
    expect(place.waiting().length).toBe(commands.length);
    for (const file of place.waiting()) {
      expect(readFileSync(file, "utf8")).not.toContain(words);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
    await next(place, server, commands.length);
    const made = server.got.find(({ body }) => body["parentId"] !== undefined)?.body;
    expect(made).toMatchObject({ event: "session.created", parentId: forked });
    expect(toldBy(server)).toEqual(
      [
        `session.created ${String(made?.["sessionId"])}`,
        `session.archived ${archived}`,
        `session.ended ${removed}`,
        `session.ended ${forced}`,
        `session.expired ${expired}`,
        `session.created ${apart}`,
      ].sort(),
    );
  },
);

async function aSessionElsewhere(bundle: string, env: NodeJS.ProcessEnv): Promise<SessionId> {
  const url = harness.storeUrl();
  const store = await openGuarded(url);
  const registry = new SessionRegistry({ store });
  const { id } = await registry.create({ cwd: "/work" });
  await registry.addMessage(id, { role: "user", content: [{ type: "text", text: "hello" }] });
  await store.close();
  expect(await harness.cli(["export", id, "--out", bundle, "--store", url], { env })).toMatchObject({
    status: 0,
  });
  return id;
}

it(
  "what was to be done to a session when its process was killed, and was not, is told to nobody",
  { timeout: 30_000, tags: ["long"] },
  async () => {
    await using server = await receiver();
    const place = placed(server);
    const { config, env, store } = place;
    const first = await harness.connect({ args: ["--config", config], env: at("begun", env), store });
    await first.newSession(harness.project()).catch(() => undefined);
    await first.program.exited;
    const made = await harness.connect({ args: ["--config", config], env, store });
    const { sessionId } = await made.newSession(harness.project());
    await server.count(1);
    await harness.stop(made.program);
    const flags = ["--store", store, "--config", config];
    const options = { env: at("begun", { ...process.env, ...env }) };
    for (const command of [
      ["archive", sessionId],
      ["rm", sessionId, "--yes"],
    ])
      expect((await harness.cli(["sessions", ...command, ...flags], options)).status).toBe(null);
    expect(place.waiting().length).toBe(2);
    const last = await harness.connect({ args: ["--config", config], env, store });
    await last.newSession(harness.project());
    await server.count(2);
    await nothingWaits(place.waiting);
    await harness.stop(last.program);
    expect(server.got.map(({ body }) => body["event"])).toEqual(["session.created", "session.created"]);
  },
);

it("what a sidecar did is told once it is noted, and with the same id when it is told twice", async () => {
  await using server = await receiver();
  const place = placed(server);
  const { config, env, store } = place;
  for (const moment of ["noted", "told"] as const) {
    const before = server.got.length;
    const first = await harness.connect({ args: ["--config", config], env: at(moment, env), store });
    await first.newSession(harness.project()).catch(() => undefined);
    await first.program.exited;
    await next(place, server, before + 1);
    const ids = server.got.slice(before).map(({ body }) => body["id"]);
    expect(new Set(ids).size).toBe(1);
  }
}, 30_000);

it(
  "what was deleted over HTTP is told by the next server when the first was killed",
  { timeout: 30_000, tags: ["long"] },
  async () => {
    await using server = await receiver();
    const place = placed(server);
    const env = { ...process.env, ...place.env };
    const headers = await someHeaders(place.store, env);
    await using first = await serving(place, env);
    const body = JSON.stringify({ cwd: harness.dir });
    const created = await fetch(`${first.url}/api/sessions`, { method: "POST", headers, body });
    const { id } = (await created.json()) as { id: string };
    await server.count(1);
    await ended(first.child);
    await using second = await serving(place, at("done", env));
    const gone = once(second.child, "exit");
    await fetch(`${second.url}/api/sessions/${id}`, { method: "DELETE", headers }).catch(() => undefined);
    await gone;
    await using third = await serving(place, env);
    await server.count(2);
    await nothingWaits(place.waiting);
    await ended(third.child);
    expect(server.got.map(({ body: told }) => [told["event"], told["sessionId"]])).toEqual([
      ["session.created", id],
      ["session.ended", id],
    ]);
  },
);

it(
  "a turn that a server's guest prompted is told by the next server when the first was killed",
  { timeout: 30_000, tags: ["long"] },
  async () => {
    await using server = await receiver();
    const place = placed(server);
    writeFileSync(place.config, JSON.stringify({ hooks: [{ on: ["turn.ended"], post: server.url }] }));
    const env = { ...process.env, ...place.env };
    const headers = await someHeaders(place.store, env);
    const atLetter = pathToFileURL(join(root, "test/fixtures/kill-at-letter.mjs")).href;
    await using first = await serving(place, { ...env, NODE_OPTIONS: `--import=${atLetter}` });
    const body = JSON.stringify({ cwd: harness.dir });
    const created = await fetch(`${first.url}/api/sessions`, { method: "POST", headers, body });
    const { id } = (await created.json()) as { id: string };
    const gone = once(first.child, "exit");
    const prompt = JSON.stringify({ prompt: "hello" });
    await fetch(`${first.url}/api/sessions/${id}/prompt`, { method: "POST", headers, body: prompt })
      .then((answer) => answer.text())
      .catch(() => undefined);
    await gone;
    await using second = await serving(place, env);
    const [told] = await server.count(1);
    await nothingWaits(place.waiting);
    await ended(second.child);
    expect(told?.body).toMatchObject({ event: "turn.ended", sessionId: id, stopReason: "end_turn" });
  },
);

async function someHeaders(store: string, env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const args = ["token", "create", "--name", "t", "--scope", "admin", "--json", "--store", store];
  const { secret } = JSON.parse((await harness.cli(args, { env })).stdout) as { secret: string };
  return { authorization: `Bearer ${secret}`, "content-type": "application/json" };
}

async function serving(
  { config, store }: ReturnType<typeof placed>,
  env: NodeJS.ProcessEnv,
): Promise<AsyncDisposable & { readonly child: ChildProcess; readonly url: string }> {
  const args = [
    "http",
    "--listen",
    "127.0.0.1:0",
    "--store",
    store,
    "--config",
    config,
    "--",
    ...fixtureCommand(["agent.mjs"]),
  ];
  const child = spawn(process.execPath, [sidecarBin, ...args], { env, stdio: ["ignore", "pipe", "inherit"] });
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  const [url = ""] = /http:\S+(?=\/)/.exec(String(said)) ?? [];
  return { child, url, [Symbol.asyncDispose]: async () => void child.kill("SIGKILL") };
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  await gone;
}
