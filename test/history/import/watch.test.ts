import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { claude } from "../../../src/history/import/claude/reader.ts";
import { gemini } from "../../../src/history/import/gemini/reader.ts";
import type { HistoryReader } from "../../../src/history/import/native.ts";
import type { Told } from "../../../src/history/import/run.ts";
import { watchHistory } from "../../../src/history/import/watch.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { claudeFolder, plainTurns, user } from "./claude-files.ts";
import { entriesOf, outline, registryOf, scratchHome } from "./rig.ts";

const scratch = scratchHome();
let homes = 0;

/** A watch at work; `next` settles with the next session that it tells of. */
function watching(home: string, reader: HistoryReader, quietMs = 1) {
  const registry = registryOf(openMemoryStore());
  const end = new AbortController();
  const told: Told[] = [];
  const waiting: ((each: Told) => void)[] = [];
  const rounds: (() => void)[] = [];
  const ended = watchHistory({
    registry,
    reader,
    places: reader.places({ HOME: home }),
    signal: end.signal,
    quietMs,
    pollMs: 200,
    onSession: (each) => {
      const take = waiting.shift();
      if (take === undefined) told.push(each);
      else take(each);
    },
    onRound: () => rounds.shift()?.(),
  });
  const next = () => {
    const first = told.shift();
    return first === undefined
      ? new Promise<Told>((resolve) => waiting.push(resolve))
      : Promise.resolve(first);
  };
  const round = () => new Promise<void>((resolve) => rounds.push(resolve));
  return { registry, next, round, end: () => end.abort(), ended };
}

describe("a watch of a history", () => {
  it("brings in what is there, what is new and what grows, and ends when it is told to", async () => {
    const home = path.join(scratch, `home-${(homes += 1)}`);
    const file = claudeFolder(home, plainTurns);
    const { registry, next, end, ended } = watching(home, claude);
    const first = await next();
    expect(first.what).toBe("imported");
    fs.appendFileSync(file, `${JSON.stringify(user("u3", "a6", "water it"))}\n`);
    expect(await next()).toMatchObject({ what: "continued", id: first.id });
    claudeFolder(home, plainTurns, "11111111-1111-4222-8333-444455556666");
    expect((await next()).what).toBe("imported");
    end();
    const { sessions } = await ended;
    expect(sessions).toMatchObject({ imported: 2, continued: 1 });
    expect(outline(await entriesOf(registry, first.id)).join()).toContain("water it");
  });

  it("waits while somebody writes", async () => {
    const home = path.join(scratch, `home-${(homes += 1)}`);
    claudeFolder(home, plainTurns);
    const { registry, round, end, ended } = watching(home, claude, 3_600_000);
    await round();
    expect(await registry.count()).toBe(0);
    end();
    await ended;
  });

  it("waits for a place that is not there yet", async () => {
    const home = path.join(scratch, `home-${(homes += 1)}`);
    const { next, round, end, ended } = watching(home, gemini);
    await round();
    const chats = path.join(home, ".gemini", "tmp", "apple", "chats");
    fs.mkdirSync(chats, { recursive: true });
    const lines = [
      { sessionId: "s-1", projectHash: "h" },
      { id: "u1", type: "user", content: "plant", timestamp: "2026-03-01T10:00:00Z" },
    ];
    fs.writeFileSync(
      path.join(chats, "session-a.jsonl"),
      lines.map((each) => `${JSON.stringify(each)}\n`).join(""),
    );
    expect(await next()).toMatchObject({ what: "imported", nativeId: "s-1" });
    end();
    await ended;
  });
});
