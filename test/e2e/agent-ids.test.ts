/** What agents call their sessions: an id counts only with its agent, and never for two. */
import { describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import { SdkClient } from "./harness/sdk-client.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();

/** An agent that counts its sessions, as many do: its first is "sess-0". */
const counting = (name: string, state: string) => [
  "agent.mjs",
  "--name",
  name,
  "--all",
  "--count-ids",
  "100",
  "--state",
  state,
];

const idsIn = async (client: SdkClient) =>
  (await client.agent.request("session/list", {})).sessions.map(({ sessionId }) => sessionId);

describe("two agents that call sessions of theirs by the same id", () => {
  it("have each its own: neither hides the other's, is loaded for it, or deleted with it [REQ list-agent, load-names]", async () => {
    const [store, project] = [harness.storeUrl(), harness.project()];
    const [alpha, beta] = ["alpha", "beta"].map((name) => counting(name, harness.path(name)));
    const first = await harness.connect({ store, agent: alpha ?? [] });
    const { sessionId: ours } = await first.newSession(project);
    await first.prompt(ours, "said to alpha");
    expect(textOf(await first.replay("sess-0", project))).toBe("echo: said to alpha");
    await harness.stop(first.program);

    const own = harness.direct(beta ?? []);
    const editor = new SdkClient(own);
    await editor.initialize();
    await editor.newSession(project);
    await editor.prompt("sess-0", "said to beta");
    await harness.stop(own);

    const second = await harness.connect({ store, agent: beta ?? [] });
    expect(await idsIn(second)).toEqual([ours, "sess-0"]);
    expect(textOf(await second.replay("sess-0", project))).toBe("echo: said to beta");
    await second.agent.request("session/delete", { sessionId: "sess-0" });
    expect(await idsIn(second)).toEqual([ours]);
    await harness.stop(second.program);

    const third = await harness.connect({ store, agent: alpha ?? [] });
    expect(textOf(await third.replay("sess-0", project))).toBe("echo: said to alpha");
    expect(await idsIn(third)).toEqual([ours]);
  });

  it("know a session that went from one to the other each by its own id", async () => {
    const [store, project] = [harness.storeUrl(), harness.project()];
    const alpha = counting("alpha", harness.path("alpha"));
    const beta = ["agent.mjs", "--name", "beta", "--all", "--state", harness.path("beta")];
    const first = await harness.connect({ store, agent: alpha });
    const { sessionId: ours } = await first.newSession(project);
    await first.prompt(ours, "said to alpha");
    await harness.stop(first.program);
    const second = await harness.connect({ store, agent: beta });
    await second.load(ours, project);
    await second.prompt(ours, "said to beta");
    // It was never beta's.
    await expect(second.load("sess-0", project)).rejects.toMatchObject({ code: -32002 });
    await harness.stop(second.program);
    const third = await harness.connect({ store, agent: alpha });
    expect(await idsIn(third)).toEqual([ours]);
    expect(textOf(await third.replay("sess-0", project))).toBe("echo: said to alphaecho: said to beta");
  });
});

describe("an id that an agent gives twice", () => {
  it("is refused the second time: two sessions would be one [REQ translate-session-id]", async () => {
    const project = harness.project();
    const client = await harness.connect({ agent: ["agent.mjs", "--count-ids", "1"] });
    const { sessionId } = await client.newSession(project);
    await expect(client.newSession(project)).rejects.toMatchObject({ data: { code: "AGENT_PROTOCOL" } });
    expect(await client.say(sessionId, "still here")).toBe("echo: still here");
    expect(await idsIn(client)).toEqual([sessionId]);
  });
});

describe("an agent that names a session by our id", () => {
  it("is understood: what it says is kept and shown as any other [REQ translate-session-id]", async () => {
    const [store, project] = [harness.storeUrl(), harness.project()];
    const client = await harness.connect({ store });
    const { sessionId } = await client.newSession(project);
    const update = {
      sessionUpdate: "agent_message_chunk",
      content: { type: "text", text: "by another name" },
    };
    const line = { jsonrpc: "2.0", method: "session/update", params: { sessionId, update } };
    expect(await client.say(sessionId, `raw ${JSON.stringify(line)}`)).toBe("by another name");
    await harness.stop(client.program);
    const later = await harness.connect({ store });
    expect(textOf(await later.replay(sessionId, project))).toBe("by another name");
  });
});
