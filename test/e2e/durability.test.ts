/** The promise over the wire: a sidecar that is killed, and a store that is damaged. */
import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import type { SdkClient } from "./harness/sdk-client.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();

/** Streams and kills the sidecar once `count` updates have come; returns what the client was sent. */
async function killInTurn(client: SdkClient, sessionId: string, count: number): Promise<string> {
  const from = client.program.out.length;
  const ended = client.prompt(sessionId, "tool\nstream 100000").catch(() => undefined);
  const seen = () => client.program.out.updates(sessionId, from);
  await client.program.out.waitFor("updates", () => seen().length >= count, { from });
  await harness.crash(client.program);
  await ended;
  return textOf(seen());
}

describe("a sidecar that is killed in a streamed turn", () => {
  it.each([
    ["turn", 5],
    ["turn", 300],
    ["full", 100],
  ])(
    "has kept all that it had sent, once and in order, at %s [REQ durable-acknowledged, durable-once, durable-sidecar-killed, durable-levels]",
    async (durability, count) => {
      const store = harness.storeUrl();
      const args = ["--durability", durability];
      const client = await harness.connect({ store, args });
      const { sessionId } = await client.newSession(cwd);
      await client.prompt(sessionId, "an answered turn");
      const seen = await killInTurn(client, sessionId, count);

      const next = await harness.connect({ store, args });
      const replayed = await next.replay(sessionId, cwd);
      const numbers = textOf(replayed).replace("echo: an answered turn", "");
      expect(numbers.startsWith(seen)).toBe(true);
      const expected = (numbers.match(/\[\d+\]/g) ?? []).map((_, n) => `[${n + 1}]`).join("");
      expect(numbers).toBe(expected);
      expect(replayed.filter(({ sessionUpdate }) => sessionUpdate === "tool_call")).toHaveLength(1);
      expect(textOf(replayed, "user_message_chunk")).toBe("an answered turntool\nstream 100000");

      expect(await next.say(sessionId, "and on")).toBe("echo: and on");
      expect(textOf(await next.replay(sessionId, cwd))).toBe(`echo: an answered turn${numbers}echo: and on`);
    },
  );

  it("does not bring a deleted session back [REQ durable-deleted]", async () => {
    const store = harness.storeUrl();
    const client = await harness.connect({ store });
    const [kept, deleted] = [await client.newSession(cwd), await client.newSession(cwd)];
    for (const { sessionId } of [kept, deleted]) await client.prompt(sessionId, "hello");
    await client.agent.request("session/delete", { sessionId: deleted.sessionId });
    await harness.crash(client.program);

    const next = await harness.connect({ store });
    await expect(next.load(deleted.sessionId, cwd)).rejects.toMatchObject({ code: -32002 });
    const { sessions } = await next.agent.request("session/list", {});
    expect(sessions.map(({ sessionId }) => sessionId)).toEqual([kept.sessionId]);
  });

  it("at durability none keeps what was answered when it ends in order [REQ durable-levels]", async () => {
    const store = harness.storeUrl();
    const args = ["--durability", "none"];
    const client = await harness.connect({ store, args });
    const { sessionId } = await client.newSession(cwd);
    await client.prompt(sessionId, "stream 20");
    await harness.stop(client.program);
    const next = await harness.connect({ store, args });
    expect(textOf(await next.replay(sessionId, cwd))).toMatch(/^\[1\].*\[20\]$/);
  });
});

describe("a store that cannot promise what is asked", () => {
  // A Redis without WAITAOF, or without a log, says the same of itself: redis-durability.test.ts.
  it("is refused at durability full, in one line that names the way out, and taken at turn [REQ durable-levels]", async () => {
    const client = await harness.connect({ store: "memory:", args: ["--durability", "full"] });
    await expect(client.newSession(cwd)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^The memory store cannot promise [^\n]*: use --durability turn or another store$/,
      ) as string,
      data: { code: "STORE_UNSUPPORTED" },
    });
    const other = await harness.connect({ store: "memory:" });
    await expect(other.newSession(cwd)).resolves.toBeDefined();
  });
});

describe("a damaged store", () => {
  it("is reported by its code, and the sidecar lives [REQ durable-damage, bad-store]", async () => {
    const file = harness.path("sessions.db");
    const store = `sqlite:${file}`;
    const client = await harness.connect({ store });
    const sessions: string[] = [];
    for (let n = 0; n < 20; n += 1) {
      const { sessionId } = await client.newSession(cwd);
      await client.prompt(sessionId, `say-${n}\nbig 20000`);
      sessions.push(sessionId);
    }
    await harness.stop(client.program);
    damage(file);

    const next = await harness.connect({ store });
    const outcomes = await Promise.all(
      sessions.map((sessionId, n) =>
        next.replay(sessionId, cwd).then(
          (updates) => (textOf(updates).includes(`say-${n}`) ? "whole" : "silently lost"),
          (error: unknown) => (error as { data?: { code?: string } }).data?.code,
        ),
      ),
    );
    expect(outcomes).toContain("STORE_CORRUPT");
    expect(outcomes).toContain("whole");
    expect(outcomes).not.toContain("silently lost");
    expect(new Set(outcomes).size).toBe(2);
  });
});

/** Overwrites a stretch of pages in the last third of the file, where entries lie. */
function damage(file: string): void {
  const { size } = statSync(file);
  const start = Math.floor((size * 0.75) / 4096) * 4096;
  const handle = openSync(file, "r+");
  writeSync(handle, Buffer.alloc(Math.min(8 * 4096, size - start), 0xee), 0, undefined, start);
  closeSync(handle);
}
