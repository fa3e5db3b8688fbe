/** Letters to real servers and programs, and what becomes of them when nobody takes them. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { newId } from "../../src/base/ids.ts";
import { createLogger, type Logger } from "../../src/base/log.ts";
import { thisOwner } from "../../src/base/owner.ts";
import { startOf } from "../../src/base/process.ts";
import type { Receiver } from "../../src/config/structures.ts";
import { Courier } from "../../src/notify/courier.ts";
import { receiver } from "./receiver.ts";

const root = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-notify-"));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

let folder: string;
let logged: string[];
let log: Logger;
let number = 0;
beforeEach(() => {
  folder = path.join(root, `outbox-${(number += 1)}`);
  logged = [];
  log = createLogger({ level: "debug", target: { write: (line) => logged.push(line) } });
});

const courier = (receivers: readonly Receiver[], more: object = {}) =>
  new Courier({ folder, receivers, log, backoffMs: 1, ...more });
const waiting = () => (fs.existsSync(folder) ? fs.readdirSync(folder) : []);
const posting = (post: string, more: Partial<Receiver> = {}): Receiver => ({
  post,
  timeoutMs: 5000,
  ...more,
});
const running = (script: string, timeoutMs = 5000): Receiver => ({
  run: [process.execPath, "-e", script],
  timeoutMs,
});

describe("what somebody is to be told", () => {
  it("is posted in order, each with an id of its own, and with the headers that are configured", async () => {
    await using server = await receiver();
    const to = posting(`${server.url}/secret-path`, { headers: { authorization: "Bearer hunter2" } });
    const sender = courier([to]);
    for (const n of [1, 2, 3]) sender.send(to, { event: "turn.ended", n });
    const got = await server.count(3);
    await sender.close(5000);
    expect(got.map(({ body }) => [body["event"], body["n"]])).toEqual([
      ["turn.ended", 1],
      ["turn.ended", 2],
      ["turn.ended", 3],
    ]);
    expect(got.every(({ headers, body }) => headers["idempotency-key"] === body["id"])).toBe(true);
    expect(new Set(got.map(({ body }) => body["id"])).size).toBe(3);
    expect(got[0]?.headers).toMatchObject({
      authorization: "Bearer hunter2",
      "content-type": "application/json",
    });
    expect(waiting()).toEqual([]);
  });

  it("is tried again, with the same id, until it is taken; logs say nothing that may be secret", async () => {
    await using server = await receiver(500, 429);
    const to = posting(`${server.url}/secret-path?key=hunter2`);
    const sender = courier([to]);
    sender.send(to, { event: "turn.ended" });
    const got = await server.count(3);
    await sender.close(5000);
    expect(new Set(got.map(({ body }) => body["id"])).size).toBe(1);
    expect(waiting()).toEqual([]);
    expect(logged.filter((line) => line.includes("answered 500"))).toHaveLength(1);
    expect(logged.join("")).not.toMatch(/secret-path|hunter2/);
  });

  it("is given up after so many tries, and the next is told", async () => {
    await using server = await receiver(...Array.from({ length: 8 }, () => 503));
    const to = posting(server.url);
    const counted: string[] = [];
    const meter = { add: (what: string, of = "") => counted.push(`${what} ${of}`), time: () => undefined };
    const sender = courier([to], { meter });
    for (const n of [1, 2]) sender.send(to, { event: "turn.ended", n });
    const got = await server.count(9);
    await sender.close(5000);
    expect(got.map(({ body }) => body["n"])).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2]);
    expect(logged.filter((line) => line.includes("it is given up"))).toHaveLength(1);
    const refused = Array.from({ length: 8 }, () => "told refused");
    expect(counted).toEqual([...refused, "told lost", "told taken"]);
  });

  it("follows a redirect on the same host, and none to another, which is told nothing", async () => {
    await using other = await receiver();
    await using server = await receiver(
      (response) => response.writeHead(308, { location: "/there" }).end(),
      204,
      (response) => response.writeHead(307, { location: other.url }).end(),
    );
    const to = posting(server.url);
    const sender = courier([to]);
    sender.send(to, { event: "first" });
    await server.count(2);
    sender.send(to, { event: "second" });
    await server.count(4);
    await sender.close(5000);
    expect(server.got[1]?.path).toBe("/there");
    expect(other.got).toEqual([]);
    expect(logged.join("")).toContain("redirects to another host");
  });

  it("is on disk, readable by its owner only, while nobody takes it; the next process delivers it", async () => {
    const server = await receiver();
    const to = posting(server.url);
    await server[Symbol.asyncDispose]();
    const killed = courier([to], { backoffMs: 60_000 });
    killed.send(to, { event: "turn.ended", n: 1 });
    await vi.waitFor(() => expect(logged.join("")).toContain("tried again"));
    await killed.close(0);
    const [name = ""] = waiting();
    expect(fs.statSync(path.join(folder, name)).mode & 0o777).toBe(0o600);
    expect(fs.readFileSync(path.join(folder, name), "utf8")).not.toContain(server.url);
    // While its process lives it is that one's.
    const early = courier([to]);
    await early.takeOver();
    await early.close(5000);
    expect(waiting()).toEqual([name]);
    const { pid } = spawnSync("true");
    fs.renameSync(path.join(folder, name), path.join(folder, name.replace(/\.\d+-\w+-/, `.${pid}-1-`)));
    await using back = await receiver();
    const port = { old: new URL(server.url).port, now: new URL(back.url).port };
    const file = path.join(folder, waiting()[0] ?? "");
    const { addressOf } = await import("../../src/notify/letter.ts");
    const moved = posting(back.url);
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(addressOf(to), addressOf(moved)));
    expect(port.old).not.toBe(port.now);
    // Nor does it go to who does not know its receiver.
    const stranger = courier([to]);
    await stranger.takeOver();
    await stranger.close(0);
    const next = courier([moved]);
    await next.takeOver();
    const [got] = await back.count(1);
    await next.close(5000);
    expect(got?.body).toMatchObject({ event: "turn.ended", n: 1, id: name.slice(0, 26) });
    expect(waiting()).toEqual([]);
  });

  it("that a process that is gone has left comes before what is new", async () => {
    await using server = await receiver();
    const to = posting(server.url);
    const { addressOf } = await import("../../src/notify/letter.ts");
    const { pid } = spawnSync("true");
    const ids = Array.from({ length: 30 }, () => newId());
    fs.mkdirSync(folder);
    for (const id of ids)
      fs.writeFileSync(
        path.join(folder, `${id}.${pid}-1-${thisOwner().space}.json`),
        JSON.stringify({ id, to: addressOf(to), body: JSON.stringify({ id }) }),
      );
    const next = courier([to]);
    void next.takeOver();
    next.send(to, { event: "turn.ended" });
    await server.count(31);
    await next.close(5000);
    expect(server.got.map(({ body }) => body["id"]).slice(0, 30)).toEqual(ids);
  });

  it("says what was said from memory alone where it may not stand on disk", async () => {
    await using server = await receiver((response) => setTimeout(() => response.writeHead(204).end(), 100));
    const to = posting(server.url);
    const sender = courier([to], { keepsContent: false });
    sender.send(to, { event: "turn.ended", seq: 1, content: { text: "marked" } });
    await server.count(1);
    const [name = ""] = waiting();
    const kept = fs.readFileSync(path.join(folder, name), "utf8");
    expect(kept).toContain("turn.ended");
    expect(kept).not.toContain("marked");
    await sender.close(5000);
    expect(server.got[0]?.body["content"]).toEqual({ text: "marked" });
  });

  it("is handed to a program on its stdin, which does not get our keys", async () => {
    const out = path.join(root, "told.json");
    vi.stubEnv("OUR_KEY", "hunter2");
    vi.stubEnv("ACP_SIDECAR_STORE", "postgres://me:hunter2@host/db");
    const to = running(
      `const fs = require("fs"); fs.writeFileSync(${JSON.stringify(out)}, fs.readFileSync(0, "utf8") + JSON.stringify(process.env))`,
    );
    const sender = courier([to], { withheld: ["OUR_KEY"] });
    sender.send(to, { event: "session.ended", sessionId: "X" });
    await sender.close(10_000);
    vi.unstubAllEnvs();
    const text = fs.readFileSync(out, "utf8");
    expect(text).toContain('"event":"session.ended"');
    expect(text).not.toContain("hunter2");
    expect(waiting()).toEqual([]);
  });

  it("does not wait for a program that hangs: it is ended, with what it has started", async () => {
    const out = path.join(root, "pids");
    const script = 'sleep 1000 & echo "$$ $!" > "$0"; wait';
    const to: Receiver = { run: ["sh", "-c", script, out], timeoutMs: 400 };
    const sender = courier([to]);
    sender.send(to, { event: "turn.ended" });
    // On a machine that is busy the first one may be ended before it has begun.
    const pids = () => (fs.existsSync(out) ? (fs.readFileSync(out, "utf8").match(/\d+/g) ?? []) : []);
    await vi.waitFor(
      () =>
        expect([logged.join(""), pids().length]).toEqual([
          expect.stringContaining("took longer than 400 ms"),
          2,
        ]),
      { timeout: 20_000 },
    );
    await sender.close(0);
    for (const pid of pids()) await vi.waitFor(() => expect(startOf(Number(pid))).toBeUndefined());
    // It was not taken: the next process tries it.
    expect(waiting()).toHaveLength(1);
  });

  it("is bounded: what nobody takes does not pile up", async () => {
    const dead = posting("http://127.0.0.1:9/");
    const sender = courier([dead], { backoffMs: 60_000, mostWaiting: 20 });
    for (let n = 0; n < 30; n += 1) sender.send(dead, { event: "turn.ended" });
    expect(logged.filter((line) => line.includes("this is dropped"))).toHaveLength(10);
    await sender.close(0);
    expect(waiting().length).toBeLessThanOrEqual(20);
  });
});
