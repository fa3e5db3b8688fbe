/** An agent that says its prompts back says a handover back, too: nobody is shown it, now or later. */
import { describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import type { RawClient } from "./harness/raw-client.ts";

const harness = useHarness();
const preamble = "This is the history of the conversation so far";

const prompt = (client: RawClient, sessionId: string, mark: string) =>
  client.prompt(
    sessionId,
    JSON.stringify({
      mark,
      updates: [{ sessionUpdate: "agent_message_chunk", content: { type: "text", text: `to ${mark}` } }],
    }),
  );

describe("an agent that echoes a handover", () => {
  const ways = [
    ["in pieces", "pieces", false],
    ["block by block, as text", "blocks", false],
    ["in one text with the prompt", "joined", false],
    ["as an embedded resource", "blocks", true],
  ] as const;
  for (const [at, [how, echoes, embeddedContext]] of ways.entries()) {
    const tags = at === 0 ? [] : ["long"];
    it(`${how}: the client is not shown it [REQ handover-hidden]`, { tags }, async () => {
      const [store, cwd] = [harness.storeUrl(), harness.project()];
      const can = { load: false, resume: false, fork: false, embeddedContext };
      const odd = { can, replays: "never", replaysForks: "never", echoes, remembers: false, failingLoads: 0 };
      const agent = ["odd.mjs", JSON.stringify({ ...odd, state: harness.path("state") })];
      const first = await harness.connectRaw({ agent, store });
      const sessionId = await first.newSession(cwd);
      await prompt(first, sessionId, "one");
      await harness.stop(first.program);
      const second = await harness.connectRaw({ agent, store });
      await prompt(second, sessionId, "two");
      const sent = second.program.agents()[0]?.messages.at(-1);
      expect(JSON.stringify(sent)).toContain(preamble);
      const from = second.program.out.length;
      await second.request("session/load", { sessionId, cwd, mcpServers: [] });
      const loaded = second.program.out
        .updates(sessionId, from)
        .map(({ content }) => JSON.stringify(content));
      expect(JSON.stringify(second.program.out.messages())).not.toContain(preamble);
      const marks = loaded.map((text) => /mark[^a-z]+(one|two)/.exec(text)?.[1] ?? text);
      expect(marks.filter((text) => text === "one" || text === "two")).toEqual(["one", "two"]);
    });
  }
});
