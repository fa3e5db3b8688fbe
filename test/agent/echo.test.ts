import { describe, expect, it } from "vitest";
import { EchoAgent } from "../../src/agent/echo.ts";
import { paramsOf } from "../../src/acp/updates.ts";
import { handlers } from "../rpc/streams.ts";
import { agentContract } from "./contract.ts";

agentContract("echo", async (given) => new EchoAgent(given));

function echo() {
  const said: string[] = [];
  const agent = new EchoAgent(
    handlers({
      updates: (updates) => {
        for (const { update } of paramsOf(updates)) said.push((update["content"] as { text: string }).text);
      },
    }),
  );
  const prompt = (sessionId: string, ...blocks: readonly unknown[]) =>
    agent.request("session/prompt", { sessionId, prompt: blocks });
  return { agent, prompt, said };
}

const text = (words: string) => ({ type: "text", text: words });

describe("the echo agent", () => {
  it("says back every character, and only mentions what is no text", async () => {
    const { agent, prompt, said } = echo();
    expect(await agent.request("initialize", {})).toMatchObject({ agentInfo: { name: "acp-sidecar-echo" } });
    const words = "  two  words\n";
    await prompt("echo-1", text(words), { type: "resource", resource: {} }, text("!"));
    expect(said.join("")).toBe(`${words}[resource] !`);
    await agent.stop();
  });

  it("takes one prompt at a time in each session", async () => {
    const { agent, prompt } = echo();
    const turn = prompt("a", text("1 2 3"));
    await expect(prompt("a", text("x"))).rejects.toMatchObject({ data: { code: "TURN_RUNNING" } });
    await turn;
    await agent.stop();
  });
});
