import { describe, expect, it } from "vitest";
import { startEchoAgent } from "../../src/agent/echo.ts";
import { silentLogger } from "../../src/base/log.ts";
import type { RequestId } from "../../src/rpc/messages.ts";
import { paramsOf } from "../../src/acp/updates.ts";
import { handlers } from "../rpc/streams.ts";

async function echo() {
  const said: [string, string][] = [];
  let onSaid: () => void = () => undefined;
  const agent = await startEchoAgent(
    { maxMessageBytes: 1 << 20, log: silentLogger },
    handlers({
      updates: (updates) => {
        for (const { sessionId, update } of paramsOf(updates)) {
          said.push([sessionId, (update["content"] as { text: string }).text]);
        }
        onSaid();
      },
    }),
  );
  const { connection } = agent;
  const prompt = (sessionId: string, ...blocks: readonly unknown[]) =>
    connection.request("session/prompt", { sessionId, prompt: blocks });
  return {
    agent,
    connection,
    prompt,
    said,
    untilSaid: () => new Promise<void>((resolve) => (onSaid = resolve)),
  };
}

const text = (words: string) => ({ type: "text", text: words });

describe("the echo agent", () => {
  it("says back what it is told, word by word, before its answer", async () => {
    const { agent, connection, prompt, said } = await echo();
    expect(await connection.request("initialize", {})).toMatchObject({
      protocolVersion: 1,
      agentInfo: { name: "acp-sidecar-echo" },
    });
    expect(await connection.request("session/new", {})).toEqual({ sessionId: "echo-1" });
    const words = "  two  words\n";
    expect(await prompt("echo-1", text(words), { type: "resource", resource: {} }, text("!"))).toEqual({
      stopReason: "end_turn",
    });
    expect(said.map(([, each]) => each).join("")).toBe(`${words}[resource] !`);
    expect(said.length).toBeGreaterThan(3);
    await agent.stop();
  });

  it("keeps sessions apart, and takes one prompt at a time in each", async () => {
    const { agent, prompt, said } = await echo();
    const turns = [prompt("a", text("1 2 3")), prompt("b", text("4 5"))];
    await expect(prompt("a", text("x"))).rejects.toMatchObject({ data: { code: "TURN_RUNNING" } });
    await Promise.all(turns);
    const of = (sessionId: string) =>
      said
        .filter(([id]) => id === sessionId)
        .map(([, each]) => each)
        .join("");
    expect([of("a"), of("b")]).toEqual(["1 2 3", "4 5"]);
    await agent.stop();
  });

  it("stops when its turn or its request is cancelled", async () => {
    const { agent, connection, prompt, untilSaid } = await echo();
    const long = text("word ".repeat(1000));
    const first = prompt("a", long);
    await untilSaid();
    void connection.notify("session/cancel", { sessionId: "a" });
    expect(await first).toEqual({ stopReason: "cancelled" });
    let id: RequestId | undefined;
    const second = connection.request(
      "session/prompt",
      { sessionId: "a", prompt: [long] },
      { onSent: (sent) => (id = sent) },
    );
    await untilSaid();
    void connection.notify("$/cancel_request", { requestId: id });
    expect(await second).toEqual({ stopReason: "cancelled" });
    await agent.stop();
  });

  it("refuses what it does not know, and ends when it is stopped, in the middle of a turn, too", async () => {
    const { agent, connection, prompt, untilSaid } = await echo();
    await expect(connection.request("session/load", {})).rejects.toMatchObject({ code: -32601 });
    const turn = prompt("a", text("word ".repeat(1000)));
    const outcome = Promise.allSettled([turn]);
    await untilSaid();
    await agent.stop();
    expect(await agent.exited).toMatchObject({ wanted: true });
    expect(await outcome).toMatchObject([{ reason: { code: "AGENT_EXITED" } }]);
    await agent.stop();
  });
});
