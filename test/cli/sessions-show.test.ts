import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import stringWidth from "string-width";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newSessionId } from "../../src/base/ids.ts";
import { thisHolder } from "../../src/session/holder.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { emptySession } from "../../src/session/registry-options.ts";
import type { EntryKind, NewEntry, Store } from "../../src/store/contract.ts";
import { openStore } from "../../src/store/open.ts";
import { binary, cli, hasTerminal, onTerminal, scratchFolder, type Ran } from "./harness.ts";

const folder = scratchFolder();
const url = `sqlite:${path.join(folder, "sessions.db")}`;
const id = newSessionId();
/** 50 MB: to read it takes some times as long as to start. */
const long = newSessionId();
/** 100 MB */
const vast = newSessionId();
let store: Store;

const show = (...argv: string[]): Promise<Ran> => cli(["show", ...argv, "--store", url]);
const entry = (kind: EntryKind, data: object): NewEntry => ({
  kind,
  atMs: 1_700_000_000_000,
  data: JSON.stringify(data),
});
const update = (sessionUpdate: string, fields: object) =>
  entry("update", { update: { sessionUpdate, ...fields } });
const said = (kind: string, text: string) => update(kind, { content: { type: "text", text } });
const prompt = (text: string) => entry("prompt", { prompt: [{ type: "text", text }] });
const content = (text: string) => [{ type: "content", content: { type: "text", text } }];

const words = "A sentence of words 漢字漢字 that is much longer than the terminal is wide. ".repeat(8);
const turns: readonly NewEntry[] = [
  prompt("Mend the test\u001b[31m"),
  said("agent_thought_chunk", "The test looks flaky to me.\nSo I read it to its very end."),
  update("tool_call", {
    toolCallId: "a",
    title: "Read x.test.ts",
    status: "completed",
    content: content("1\n2"),
  }),
  update("tool_call", {
    toolCallId: "b",
    title: "Run it",
    status: "failed",
    content: content("exit status 1\nmore"),
  }),
  said("agent_message_chunk", `${words}\n    indented code\n${"x".repeat(300)}`),
  entry("end", { result: { stopReason: "end_turn" } }),
  prompt("And again"),
  entry("end", { result: { stopReason: "cancelled" } }),
];

async function written(session: typeof id, entries: readonly NewEntry[]): Promise<void> {
  const atMs = Date.now();
  await store.create({
    ...emptySession,
    id: session,
    createdAtMs: atMs,
    updatedAtMs: atMs,
    cwd: "/project",
    title: "Tests",
  });
  const { lease } = await store.acquire(session, {
    holder: thisHolder(),
    ttlMs: 60_000,
    mayTake: () => false,
  });
  for (let at = 0; at < entries.length; at += 500) {
    const some = entries.slice(at, at + 500);
    await store.seal(session, { from: at + 1, head: at }, some, lease);
  }
  await store.release(lease);
}

const prompts = (length: number) => Array.from({ length }, (_, n) => prompt(`${n} ${"long ".repeat(5000)}`));

beforeAll(async () => {
  store = await openStore(url);
  await written(id, turns);
  await written(long, prompts(2000));
  await store.flush();
});
afterAll(() => store.close());

describe("sessions show", () => {
  it("is a conversation: what was said, calls with their outcome, thoughts by their beginning", async () => {
    const { status, out } = await show(id);
    expect(status).toBe(0);
    expect(out).toMatch(/^user {2}2023-\S+ \S+ {2}#1\n {2}Mend the test\\u001b\[31m$/m);
    expect(out).toMatch(/^ {2}\(thought: The test looks flaky to me\. So .*\)$/m);
    expect(out).toMatch(/^ {2}✓ Read x\.test\.ts\n {2}✗ Run it\n {6}exit status 1\n\nassistant {2}/m);
    expect(out).toMatch(/^ {2}The turn ended: cancelled$/m);
    expect(out).not.toContain("end turn");
    expect((await show(id, "--thoughts")).out).toMatch(
      /^thought {2}.*\n.*flaky to me\.\n {2}So I read it to its very end\.$/m,
    );
  });

  it.each([40, 80])(
    "is broken at spaces to %i columns, wide characters counted; code keeps its indent",
    async (columns) => {
      const { out } = await cli(["show", id, "--store", url, "--color", "never"], { columns });
      for (const line of out.split("\n")) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
      expect(out).toMatch(/^ {6}indented code$/m);
      expect(out.replace(/\s+/g, " ")).toContain(words.trim());
      expect(out.match(/x/g)?.length).toBeGreaterThan(300);
    },
  );

  it("shows the last turns, or entries", async () => {
    const { out } = await show(id, "--last", "1");
    expect(out).toContain("And again");
    expect(out).not.toContain("Mend the test");
    const entries = (await show(id, "--last", "2", "--entries", "--jsonl")).out.trimEnd().split("\n");
    expect(entries.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([7, 8]);
    expect((await show(id, "--last", "0")).status).toBe(2);
    expect((await show(`${id}:1`, "--last", "1")).status).toBe(2);
  });

  it("shows one turn of a session that a program wrote message by message", async () => {
    const registry = new SessionRegistry({ store });
    const { id: written } = await registry.create({ cwd: folder });
    for (const [role, text] of [
      ["user", "First question"],
      ["assistant", "First answer"],
      ["user", "Second question"],
    ] as const)
      await registry.addMessage(written, { role, content: text });
    const { out } = await show(written, "--at", "2");
    expect(out).toMatch(/First question[^]*First answer/);
    expect(out).not.toContain("Second");
  });

  it("gives programs messages or entries, a line each", async () => {
    const lines = async (...argv: string[]) =>
      (await show(id, "--jsonl", ...argv)).out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as { role?: string });
    expect((await lines()).map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(await lines("--entries")).toHaveLength(turns.length);
    expect(await lines("--last", "1")).toMatchObject([{ role: "user" }]);
  });

  // Without `script` there is no terminal to be had.
  it.skipIf(!hasTerminal)(
    "goes through the pager on a terminal, and not elsewhere or when it is not wanted",
    () => {
      const env = { PAGER: "sed s/^/paged:/" };
      expect(onTerminal(`$P show ${id} --store ${url}`, { env }).shown).toContain("paged:");
      expect(onTerminal(`$P show ${id} --store ${url} --no-pager`, { env }).shown).not.toContain("paged:");
      expect(onTerminal(`$P show ${id} --store ${url} | cat`, { env }).shown).not.toContain("paged:");
      expect(onTerminal(`$P show ${id} --store ${url}`, { env: { PAGER: "" } }).shown).toContain(
        "Mend the test",
      );
      // One that reads no further ends us, too.
      const left = onTerminal(`$P show ${long} --store ${url}`, { env: { PAGER: "head -n 3" } });
      expect([left.status, left.shown.split("\n").length]).toEqual([0, 4]);
    },
  );

  for (const flag of ["", "--entries", "--json", "--jsonl"]) {
    const tags = flag === "" ? [] : ["long"];
    it(`ends at once with status 0 when its reader has gone: "${flag}"`, { tags }, () => {
      const status = path.join(folder, "status");
      const used = path.join(folder, "used");
      // How much of the processor it takes does not depend on what else the machine does.
      const timed = (session: string, reader: string) => {
        const run = `time -p "${process.execPath}" "${binary}" show ${session} ${flag} --store ${url} 2>&3; echo $? > ${status}`;
        const { stderr } = spawnSync("bash", ["-c", `{ { ${run}; } 3>&2 2> ${used}; } | ${reader}`], {
          encoding: "utf8",
        });
        expect([stderr, fs.readFileSync(status, "utf8")]).toEqual(["", "0\n"]);
        return Number(/^user ([\d.]+)$/m.exec(fs.readFileSync(used, "utf8"))?.[1]);
      };
      const [least, all] = [timed(id, "cat > /dev/null"), timed(long, "cat > /dev/null")];
      expect(timed(long, "head -c 100 > /dev/null") - least).toBeLessThan((all - least) / 2);
    });
  }

  it("needs no more memory for a long session than for a short one", { tags: ["long"] }, async () => {
    await written(vast, prompts(4000));
    await store.flush();
    const peakOf = (session: string) => {
      const { stderr } = spawnSync(
        process.execPath,
        [
          "-e",
          `process.on("exit", () => process.stderr.write(String(process.resourceUsage().maxRSS))); process.argv.splice(1, 0, ""); import(${JSON.stringify(`${binary}`)})`,
          "show",
          session,
          "--store",
          url,
        ],
        { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] },
      );
      return Number(stderr) / 1024;
    };
    expect(peakOf(vast)).toBeLessThan(peakOf(id) + 60);
  });
});
