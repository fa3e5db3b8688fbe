/** Whatever stands in a history: a line that cannot be read costs itself, and work is linear in what is read. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { claude } from "../../../src/history/import/claude/reader.ts";
import { codex } from "../../../src/history/import/codex/reader.ts";
import { gemini } from "../../../src/history/import/gemini/reader.ts";
import { linesOf } from "../../../src/history/import/lines.ts";
import type { HistoryReader, NativeBatch, Problem } from "../../../src/history/import/native.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { openSqliteStore } from "../../../src/store/sql/sqlite/store.ts";
import { binary } from "../../cli/harness.ts";
import { asLines, assistant, claudeFolder, text, user } from "./claude-files.ts";
import { importFrom, registryOf, scratchHome } from "./rig.ts";

const scratch = scratchHome();
let files = 0;

const codexName = "rollout-2026-03-01T10-00-00-019a0000-1111-7222-8333-444455556666.jsonl";
const readers: readonly (readonly [string, HistoryReader, string])[] = [
  ["Claude Code", claude, "0f8b2f6e-1111-4222-8333-444455556666.jsonl"],
  ["Codex", codex, codexName],
  ["Gemini CLI", gemini, "session-1.jsonl"],
];

/** Words of all formats, so that random records are not all alike. */
const words = [
  "type",
  "payload",
  "user",
  "assistant",
  "message",
  "content",
  "uuid",
  "parentUuid",
  "id",
  "text",
  "tool_use",
  "tool_result",
  "tool_use_id",
  "response_item",
  "event_msg",
  "session_meta",
  "function_call",
  "call_id",
  "arguments",
  "user_message",
  "thread_rolled_back",
  "num_turns",
  "gemini",
  "toolCalls",
  "thoughts",
  "$set",
  "$rewindTo",
  "messages",
  "sessionId",
  "timestamp",
  "isSidechain",
  "toolUseResult",
  "agentId",
  "system",
  "subtype",
  "compact_boundary",
  "usage",
  "compacted",
  "replacement_history",
  "output",
  "name",
  "input",
  "role",
];
const word = fc.constantFrom(...words);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    word,
    fc.integer(),
    fc.constant(null),
    fc.boolean(),
    fc.string(),
    fc.array(tie("any"), { maxLength: 4 }),
    fc.dictionary(word, tie("any"), { maxKeys: 6 }),
  ),
})).any;
const record = fc.dictionary(word, value, { maxKeys: 8 });

async function read(reader: HistoryReader, name: string, content: string | Uint8Array) {
  const folder = path.join(scratch, `files-${(files += 1)}`);
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, name), content);
  const problems: Problem[] = [];
  const batches: NativeBatch[] = [];
  const report = (problem: Problem) => void problems.push(problem);
  for await (const native of reader.sessions(folder, report)) {
    for await (const batch of native.read(report)) batches.push(batch);
  }
  fs.rmSync(folder, { recursive: true });
  return { problems, entries: batches.flatMap(({ entries, tail = [] }) => [...entries, ...tail]) };
}

describe.each(readers)("a history of %s", (_, reader, name) => {
  it("takes any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const { entries } = await read(
          reader,
          name,
          Buffer.concat([Buffer.from('{"sessionId":"s"}\n'), bytes]),
        );
        for (const { data } of entries) expect(() => JSON.parse(data) as unknown).not.toThrow();
      }),
      { numRuns: 60 },
    );
  });

  it("takes any records, and gives the same entries for the same file", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 12 }), async (records) => {
        const lines = asLines([{ sessionId: "s", projectHash: "h" }, ...records]);
        const first = await read(reader, name, lines);
        const again = await read(reader, name, lines);
        expect(again.entries).toEqual(first.entries);
        for (const { data, atMs } of first.entries) {
          expect(Number.isSafeInteger(atMs)).toBe(true);
          expect(JSON.parse(data)).toBeTypeOf("object");
        }
      }),
      { numRuns: 150 },
    );
  });

  it("takes a line as deep as it likes, for itself alone", async () => {
    const deep = `${'{"payload":'.repeat(50_000)}1${"}".repeat(50_000)}`;
    const nested = `{"type":"user","uuid":"d","message":{"content":[{"type":"tool_use","id":"x","name":"y","input":${"[".repeat(50_000)}${"]".repeat(50_000)}}]}}`;
    const { problems } = await read(reader, name, `{"sessionId":"s"}\n${deep}\n${nested}\n`);
    expect(problems.length).toBeLessThanOrEqual(2);
  });
});

describe("lines of a file", () => {
  it("are cut wherever the pieces end, and one that is too long costs itself", async () => {
    const content = Buffer.from(`one\n\n${"x".repeat(50)}\ntwo é\nthree`);
    for (const size of [1, 2, 3, 7, 1000]) {
      const pieces = (async function* () {
        for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
      })();
      const problems: Problem[] = [];
      const found: string[] = [];
      for await (const { lines } of linesOf(pieces, "f", (problem) => void problems.push(problem), 20))
        for (const { number, text: said, isOpen } of lines) found.push(`${number} ${said} ${isOpen}`);
      expect(found).toEqual(["1 one false", "4 two é false", "5 three true"]);
      expect(problems).toMatchObject([{ line: 3 }]);
    }
  });

  it("work is linear in what is read", async () => {
    const turns = (count: number) =>
      Array.from({ length: count }, (_, at) => [
        user(`u${at}`, at === 0 ? null : `a${at - 1}`, "say"),
        assistant(`a${at}`, `u${at}`, `m${at}`, [text("said")]),
      ]).flat();
    const timeOf = async (count: number) => {
      const lines = asLines(turns(count));
      const began = performance.now();
      await read(claude, "0f8b2f6e-1111-4222-8333-444455556666.jsonl", lines);
      return performance.now() - began;
    };
    await timeOf(500);
    const [few, many] = [await timeOf(1000), await timeOf(16_000)];
    // Sixteen times as much; quadratic work would take 256 times as long.
    expect(many / few).toBeLessThan(100);
  });
});

describe("an import that is killed", () => {
  it(
    "leaves whole sessions or none, and goes on when it is run again",
    { timeout: 60_000, tags: ["long"] },
    async () => {
      const home = path.join(scratch, "killed");
      const records = (name: string) =>
        Array.from({ length: 300 }, (_, at) =>
          user(`${name}${at}`, at === 0 ? null : `${name}${at - 1}`, "x".repeat(20_000)),
        );
      const count = 12;
      for (let at = 0; at < count; at += 1)
        claudeFolder(home, records(`r${at}-`), `${String(at).padStart(8, "0")}-1111-4222-8333-444455556666`);
      const url = path.join(home, "sessions.db");
      const argv = [binary, "import", "claude", "--store", `sqlite:${url}`];
      const env = { PATH: process.env["PATH"], HOME: home };
      for (const afterBytes of [1, 4_000_000, 30_000_000]) {
        const child = spawn(process.execPath, argv, { env, stdio: "ignore" });
        const exited = once(child, "exit");
        const isBig = () => sizeOf(url) + sizeOf(`${url}-wal`) >= afterBytes;
        while (!isBig() && child.exitCode === null) await new Promise((resolve) => setImmediate(resolve));
        child.kill("SIGKILL");
        await exited;
        if (!fs.existsSync(url)) continue;
        const store = await openSqliteStore({ path: url });
        for (const { headSeq } of (await registryOf(store).list({ limit: 100 })).items)
          expect(headSeq).toBe(600);
        await store.close();
      }
      const store = await openSqliteStore({ path: url });
      await importFrom(registryOf(store), claude, home);
      const { items } = await registryOf(store).list({ limit: 100 });
      expect(items.map(({ headSeq }) => headSeq)).toEqual(Array.from({ length: count }, () => 600));
      expect((await store.stats()).sessions).toBe(count);
      await store.close();
    },
  );

  it("stops where the store is full, and leaves nothing half done", async () => {
    const home = path.join(scratch, "full");
    claudeFolder(home, [user("u1", null, "x".repeat(3 << 20)), user("u2", "u1", "y")]);
    const store = openMemoryStore();
    const failing = Object.create(store, {
      seal: { value: () => Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" })) },
    }) as typeof store;
    const { told, problems } = await importFrom(registryOf(failing), claude, home);
    expect(told).toEqual([]);
    expect(problems).toHaveLength(1);
    expect((await store.list()).items).toEqual([]);
    expect((await importFrom(registryOf(store), claude, home)).told).toMatchObject([{ what: "imported" }]);
  });
});

function sizeOf(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
