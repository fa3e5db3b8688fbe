import { describe, expect, it } from "vitest";
import { silentLogger } from "../../src/base/log.ts";
import type { SessionNews } from "../../src/session/events.ts";
import { chunk, end, newEntry, prompt } from "./entries.ts";
import { hourMs, registryOf } from "./registry-rig.ts";

const never = new Promise<void>(() => undefined);
const message = { role: "user", content: "x" } as const;

/** A log that keeps its warnings and errors. */
function keptLog() {
  const lines: unknown[] = [];
  const keep = (fields: unknown, text: string) => void lines.push([text, fields]);
  return { lines, log: { ...silentLogger, warn: keep, error: keep } };
}

/** A turn of so many updates, each journaled by itself. */
async function stream(registry: ReturnType<typeof registryOf>["registry"], updates: number) {
  const { id } = await registry.create({ cwd: "/" });
  const { journal } = await registry.open(id);
  await journal.append([newEntry(prompt())]);
  for (let n = 0; n < updates; n += 1) {
    await journal.append([newEntry(chunk(`${n} `))]);
    // As the medium of a real store does, now and then.
    if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await journal.seal([newEntry(end)]);
  await journal.release();
  return id;
}

describe("those who are asked [REQ A7]", () => {
  it("are awaited, in order; a session that one refuses is not made", async () => {
    const { registry } = registryOf();
    const told: string[] = [];
    registry.on("create", async ({ record }) => {
      await new Promise((resolve) => setImmediate(resolve));
      told.push(record.cwd);
    });
    const endRefusal = registry.on("create", () => {
      told.push("asked second");
      throw new Error("refused");
    });
    registry.follow(({ type }) => void told.push(type));
    await expect(registry.create({ cwd: "/a" })).rejects.toThrow("refused");
    await registry.delivered();
    expect([told, await registry.count(), registry.live.size]).toEqual([["/a", "asked second"], 0, 0]);
    endRefusal();
    await registry.create({ cwd: "/b" });
    await registry.delivered();
    expect(told.slice(2)).toEqual(["/b", "create"]);
  });
});

describe("those who are told [REQ A7]", () => {
  it("hear of everything that is written, in order, turns that run included", async () => {
    const { registry, pass } = registryOf();
    const news: SessionNews[] = [];
    registry.follow((each) => void news.push(each));
    const id = await stream(registry, 2);
    await registry.update(id, () => ({ title: "t" }));
    await registry.update(id, () => ({ settings: { modeId: "code" } }));
    await registry.addMessage(id, message);
    await registry.end(id);
    const old = await registry.create({ cwd: "/" });
    registry.live.remove(old.id);
    pass(hourMs);
    await registry.expire({ idleForMs: 1 });
    await registry.delivered();
    const facts = news.map((each) => {
      if (each.type === "append") return ["append", ...each.entries.map(({ seq, kind }) => `${seq} ${kind}`)];
      if (each.type === "seal")
        return ["seal", each.from, each.sealedSeq, ...each.entries.map(({ seq, kind }) => `${seq} ${kind}`)];
      if (each.type === "turnEnd") return ["turnEnd", each.entry.seq];
      return [each.type];
    });
    expect(facts).toEqual([
      ["create"],
      ["append", "1 prompt"],
      ["append", "2 update"],
      ["append", "3 update"],
      ["seal", 2, 3, "2 update", "3 end"],
      ["turnEnd", 3],
      ["update"],
      ["update"],
      ["settings"],
      ["append", "4 message"],
      ["seal", 4, 4, "4 message"],
      ["end"],
      ["create"],
      ["expire"],
    ]);
    expect(news.filter(({ type }) => type === "settings")).toEqual([
      { type: "settings", id, settings: { modeId: "code" } },
    ]);
  });

  it("hear of one event if they ask for one, and of nothing once they have ended", async () => {
    const { registry } = registryOf();
    const told: unknown[] = [];
    const stop = registry.on("update", ({ record }) => void told.push(record.title));
    const { id } = await registry.create({ cwd: "/" });
    await registry.update(id, () => ({ title: "a" }));
    await registry.delivered();
    stop();
    await registry.update(id, () => ({ title: "b" }));
    await registry.delivered();
    expect(told).toEqual(["a"]);
  });

  it("cannot change what is written", async () => {
    const { registry } = registryOf();
    registry.on("append", ({ entries }) => {
      for (const entry of entries) (entry as { data: string }).data = "changed";
    });
    const id = await stream(registry, 3);
    for await (const page of registry.read(id))
      for (const { data } of page) expect(data).not.toContain("changed");
  });

  it("cost nobody anything by failing or never returning", async () => {
    const { lines, log } = keptLog();
    const { registry } = registryOf({ log });
    const heard: string[] = [];
    registry.on("append", () => never);
    registry.on("append", () => {
      throw new Error("mine");
    });
    registry.on("append", async () => Promise.reject(new Error("later")));
    registry.on("append", ({ entries }) => void heard.push(...entries.map(({ data }) => data)));
    await stream(registry, 10_000 - 1);
    // The one that never returns has all of them waiting, and the others have heard them.
    while (heard.length < 10_000) await new Promise((resolve) => setImmediate(resolve));
    const texts = heard
      .slice(1)
      .map((data) => (JSON.parse(data) as { update: { content: { text: string } } }).update.content.text);
    expect(texts).toEqual(Array.from({ length: 9999 }, (_, n) => `${n} `));
    expect(lines.length).toBe(20_000);
    expect(lines[0]).toEqual(["a subscriber failed", { event: "append", error: "mine" }]);
  });

  it("miss what is beyond their bound, and are told how much", async () => {
    const { lines, log } = keptLog();
    const { registry } = registryOf({ log });
    let goOn = () => {};
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const heard: [seq: number, missed: number][] = [];
    registry.on(
      "append",
      async ({ entries: [entry] }, missed) => {
        if (heard.push([entry?.seq ?? 0, missed]) === 1) await held;
      },
      { most: 10 },
    );
    const { id } = await registry.create({ cwd: "/" });
    const { journal } = await registry.open(id);
    const say = (text: string) => journal.append([newEntry(chunk(text))]);
    for (let n = 1; n <= 30; n += 1) await say(`${n}`);
    goOn();
    await registry.delivered();
    await say("31");
    await registry.delivered();
    expect(heard).toEqual([...Array.from({ length: 10 }, (_, n) => [n + 1, 0]), [31, 20]]);
    expect(lines).toEqual([["a subscriber is behind: it misses events", { waiting: 10 }]]);
  });

  it("have no more of it waiting than some 64 MiB, however few the events", { tags: ["long"] }, async () => {
    const { lines, log } = keptLog();
    const { registry } = registryOf({ log });
    registry.on("append", () => never);
    const { id } = await registry.create({ cwd: "/" });
    const { journal } = await registry.open(id);
    const big = newEntry(chunk("x".repeat(16 << 20)));
    for (let n = 0; n < 6; n += 1) await journal.append([big]);
    await journal.release();
    expect(lines).toEqual([["a subscriber is behind: it misses events", { waiting: 4 }]]);
  });
});
