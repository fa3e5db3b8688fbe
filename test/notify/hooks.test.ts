/** Which news hooks make of what happens to sessions, and that they tell what was said only to whom that is wanted for. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { processSpace } from "../../src/base/process.ts";
import { silentLogger } from "../../src/base/log.ts";
import { hookEvents, type Hook } from "../../src/config/structures.ts";
import { Hooks } from "../../src/notify/hooks.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import { end, prompt, say } from "../history/talk.ts";
import { receiver } from "./receiver.ts";

const root = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-hooks-"));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

it("tells each event to whom it is for, what was said only where that is wanted, and leaves nothing waiting", async () => {
  await using server = await receiver();
  await using store = await openStore("memory:");
  const registry = new SessionRegistry({ store });
  const folder = path.join(root, "outbox");
  const hook = (name: string, on: Hook["on"], content: boolean): Hook => ({
    on,
    content,
    post: `${server.url}/${name}`,
    timeoutMs: 5000,
  });
  const config = {
    hooks: [
      hook("all", hookEvents, false),
      hook("words", ["turn.ended", "permission.asked"], true),
      hook("gone", ["session.ended"], false),
    ],
  };
  const hooks = new Hooks({
    config,
    registry,
    log: silentLogger,
    folder,
    hide: (said) => said.replaceAll("hunter2", "***"),
  });
  registry.follow(hooks.take);
  const { id } = await registry.create({ cwd: "/projects/marked-folder", title: "marked title" });
  const { journal } = await registry.open(id);
  await journal.append([prompt("an earlier marked prompt"), say("an earlier answer"), end()]);
  await journal.append([prompt("marked prompt"), say("marked "), say("answer hunter2")]);
  await journal.append([
    {
      kind: "request",
      atMs: Date.now(),
      data: JSON.stringify({
        id: 1,
        method: "session/request_permission",
        params: {
          toolCall: { toolCallId: "w", kind: "edit", title: "marked edit" },
          options: [{ optionId: "y", name: "marked yes", kind: "allow_once" }],
        },
      }),
    },
  ]);
  await journal.seal([end({ result: { stopReason: "max_tokens" } })]);
  await journal.release();
  await registry.archive(id);
  await registry.archive(id);
  await registry.end(id);
  await registry.delivered();
  await hooks.close(10_000);
  const told = (name: string) =>
    server.got.filter((each) => each.path === `/${name}`).map(({ body }) => body);
  expect(told("all").map(({ event }) => event)).toEqual([
    "session.created",
    "turn.ended",
    "permission.asked",
    "turn.ended",
    "session.archived",
    "session.ended",
  ]);
  expect(told("all").every(({ sessionId }) => sessionId === id)).toBe(true);
  expect(JSON.stringify(told("all"))).not.toContain("marked");
  expect(told("all")[3]).toMatchObject({ stopReason: "max_tokens", seq: expect.any(Number) as number });
  expect(told("all")[2]).toMatchObject({ toolCallId: "w", toolKind: "edit", options: 1 });
  const words = told("words");
  expect(words.find(({ event }) => event === "permission.asked")?.["content"]).toEqual({
    cwd: "/projects/marked-folder",
    title: "marked title",
    toolTitle: "marked edit",
    options: ["marked yes"],
  });
  expect(words.at(-1)?.["content"]).toEqual({
    cwd: "/projects/marked-folder",
    title: "marked title",
    text: "marked answer ***",
  });
  expect(told("gone").map(({ event }) => event)).toEqual(["session.ended"]);
  expect(fs.readdirSync(folder)).toEqual([]);
  await registry.close();
});

it("of a turn that ended with its process is told by whoever opens the session next", async () => {
  await using server = await receiver();
  await using store = await openStore("memory:");
  const registry = new SessionRegistry({ store });
  const { id } = await registry.create({ cwd: "/work" });
  const { pid } = spawnSync("true");
  const holder = { host: processSpace(), pid, startedAt: "1" };
  const { lease } = await store.acquire(id, { holder, ttlMs: 60_000, mayTake: () => true });
  await store.append(id, 0, [prompt("x"), say("half of an ans")], { ...lease, turnRunning: true });
  const config = {
    hooks: [{ on: ["turn.ended" as const], content: true, post: server.url, timeoutMs: 5000 }],
  };
  const hooks = new Hooks({ config, registry, log: silentLogger, folder: path.join(root, "interrupted") });
  registry.follow(hooks.take);
  const { journal } = await registry.open(id);
  await journal.release();
  await registry.delivered();
  await hooks.close(5000);
  expect(server.got.map(({ body }) => body)).toEqual([
    expect.objectContaining({ event: "turn.ended", interrupted: true }),
  ]);
  expect(server.got[0]?.body["content"]).toMatchObject({ text: "half of an ans" });
  await registry.close();
});
