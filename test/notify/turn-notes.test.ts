/** What a process that was killed has journaled and told nobody, as the next one finds it. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { silentLogger } from "../../src/base/log.ts";
import type { SessionId } from "../../src/base/ids.ts";
import { lateHooks } from "../../src/notify/late.ts";
import { Hooks } from "../../src/notify/hooks.ts";
import { thisOwner } from "../../src/base/owner.ts";
import { TurnNotes } from "../../src/notify/turn-notes.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import { end, prompt, say } from "../history/talk.ts";
import { receiver } from "./receiver.ts";

const root = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-notes-"));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

let number = 0;

async function notified(...servers: readonly { readonly url: string }[]) {
  const outbox = path.join(root, String((number += 1)));
  const store = await openStore("memory:");
  const registry = new SessionRegistry({ store });
  const on = ["turn.ended" as const, "permission.asked" as const];
  const hooks = servers.map(({ url: post }) => ({ on, content: false, post, timeoutMs: 5000 }));
  /** @param told who is configured; all, unless told */
  const open = (told = hooks) => {
    const config = { hooks: told };
    const notes = new TurnNotes(outbox, "memory:", told, silentLogger);
    const late = lateHooks(notes, async () => {
      return new Hooks({ config, registry, notes, log: silentLogger, folder: outbox });
    });
    return { ...late, unfollow: registry.follow(late.follower) };
  };
  const [turns, files] = [path.join(outbox, "turns"), () => fs.readdirSync(path.join(outbox, "turns"))];
  return { open, hooks, registry, turns, files, [Symbol.asyncDispose]: () => registry.close() };
}

/** As a process that was killed leaves it: its owner is gone, and what it had to tell is in the journal alone. */
async function leave(at: Awaited<ReturnType<typeof notified>>, ...after: ReturnType<typeof end>[]) {
  const { id } = await at.registry.create({ cwd: "/work" });
  const { journal } = await at.registry.open(id);
  const notes = new TurnNotes(path.dirname(at.turns), "memory:", at.hooks, silentLogger);
  const unfollow = at.registry.follow((news) => notes.see(news));
  await journal.append([prompt("x"), say("some"), say(" words")]);
  await at.registry.delivered();
  unfollow();
  await journal.seal(after);
  await journal.release();
  const { pid } = spawnSync("true");
  const [own, gone] = [thisOwner(), { ...thisOwner(), pid, startedAt: "1" }].map((each) =>
    JSON.stringify(each),
  );
  for (const file of at.files().map((name) => path.join(at.turns, name)))
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(own ?? "", gone ?? ""));
  return { id };
}

const eventsOf = (server: Awaited<ReturnType<typeof receiver>>) =>
  server.got.map(({ body }) => [body["event"], body["sessionId"]]);

async function turn(registry: SessionRegistry, id: SessionId): Promise<void> {
  const { journal } = await registry.open(id);
  await journal.append([prompt("y"), say("z")]);
  await journal.seal([end()]);
  await journal.release();
  await registry.delivered();
}

it("is told at the start, and what is not over is left to whoever opens the session", async () => {
  await using server = await receiver();
  await using at = await notified(server);
  const over = await leave(at, end());
  fs.writeFileSync(path.join(at.turns, "000000000000-01ARZ3NDEKTSV4RRFFQ69G5FAV.json"), "{");
  const next = at.open();
  await next.follower({ type: "end", id: over.id }, 0);
  await server.count(1);
  await next.close(5000);
  expect(eventsOf(server)).toEqual([["turn.ended", over.id]]);
  expect(at.files().map((name) => name.slice(0, 12))).toEqual(["000000000000"]);
});

it("is told by a process that runs already, when it begins a turn there, and once", async () => {
  await using server = await receiver();
  await using at = await notified(server);
  const running = at.open();
  await turn(at.registry, (await at.registry.create({ cwd: "/work" })).id);
  await server.count(1);
  expect(at.files()).toEqual([]);
  const { id } = await leave(at, end());
  await turn(at.registry, id);
  await running.close(5000);
  const ids = server.got.map(({ body }) => body["id"]);
  expect(eventsOf(server).slice(1)).toEqual([
    ["turn.ended", id],
    ["turn.ended", id],
  ]);
  expect(new Set(ids).size).toBe(3);
  expect(at.files()).toEqual([]);
});

it("is told by who tells the same receiver, whoever else comes before and has others", async () => {
  await using one = await receiver();
  await using other = await receiver();
  await using at = await notified(one, other);
  const { id } = await leave(at, end());
  for (const hook of [1, 0]) {
    const next = at.open(at.hooks.slice(hook, hook + 1));
    // A turn of its own stands where the other's is noted.
    await turn(at.registry, id);
    await next.close(5000);
    next.unfollow();
  }
  const [first, second] = [one, other].map(({ got }) => got.map(({ body }) => body["seq"]));
  expect(second).toEqual([3, 6]);
  expect(first).toEqual(expect.arrayContaining([3, 9]));
  expect(at.files()).toEqual([]);
});
