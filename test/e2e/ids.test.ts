/** Request ids, and taking requests back by `$/cancel_request`, both ways. */
import { beforeAll, describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import type { RawClient } from "./harness/raw-client.ts";
import { isResponseTo, textOf, type Id } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();

let client: RawClient;
let sessionId = "";
beforeAll(async () => {
  client = await harness.connectRaw();
  sessionId = await client.newSession(cwd);
});

const promptParams = (text: string) => ({ sessionId, prompt: [{ type: "text", text }] });
const agentMessages = () => client.program.agents()[0]?.messages ?? [];

describe("request ids", () => {
  it.each<Id>([0, "", "0", 7, -1, 2 ** 31, 2 ** 53 - 1, 'a b\n"é😀', "x".repeat(1000)])(
    "echoes %j exactly, for what we answer and what the agent answers [REQ echo-ids]",
    async (id) => {
      const ours = await client.ask("session/list", {}, id);
      expect(ours).toHaveProperty("result");
      const theirs = await client.ask("_fixture/echo", {}, id);
      expect([ours.id, theirs.id]).toEqual([id, id]);
      const failed = await client.ask("session/load", { sessionId: "?", cwd, mcpServers: [] }, id);
      expect(failed.id).toBe(id);
    },
  );

  it('keeps 1 and "1" apart when both run at once [REQ echo-ids]', async () => {
    const from = client.program.out.length;
    const [number, text] = await Promise.all([
      client.ask("_fixture/echo", { is: "number" }, 1),
      client.ask("_fixture/echo", { is: "text" }, "1"),
    ]);
    expect(number.result).toMatchObject({ params: { is: "number" } });
    expect(text.result).toMatchObject({ params: { is: "text" } });
    expect(client.program.out.messages(from)).toHaveLength(2);
  });
});

describe("$/cancel_request", () => {
  it("of the client's prompt reaches the agent under the forwarded id [REQ cancel-request-to-agent]", async () => {
    const from = client.program.out.length;
    client.send({
      jsonrpc: "2.0",
      id: "turn",
      method: "session/prompt",
      params: promptParams("until-cancel"),
    });
    await client.program.out.waitFor("update", ({ method }) => method === "session/update", { from });
    client.notify("$/cancel_request", { requestId: "turn" });
    const answer = await client.program.out.waitFor("answer", isResponseTo("turn"), { from });
    expect(answer.error).toMatchObject({ code: -32800, message: "The prompt was taken back" });
    const prompt = agentMessages().findLast(({ method }) => method === "session/prompt");
    const cancel = agentMessages().findLast(({ method }) => method === "$/cancel_request");
    expect(cancel?.params?.["requestId"]).toBe(prompt?.id);
  });

  it("of any other forwarded request goes the same way [REQ cancel-request-to-agent]", async () => {
    const slow = await harness.connectRaw({ agent: ["agent.mjs", "--delay", "_fixture/echo:300"] });
    const asked = slow.ask("_fixture/echo", {}, 0);
    slow.notify("$/cancel_request", { requestId: 0 });
    await asked;
    const messages = slow.program.agents()[0]?.messages ?? [];
    const echo = messages.find(({ method }) => method === "_fixture/echo");
    const cancel = messages.find(({ method }) => method === "$/cancel_request");
    expect(cancel?.params?.["requestId"]).toBe(echo?.id);
  });

  it("of the agent reaches the client under the id that the client knows [REQ cancel-request-to-client, agent-request-ids]", async () => {
    const from = client.program.out.length;
    const turn = client.request("session/prompt", promptParams("take-back"));
    const { out } = client.program;
    const asked = await out.waitFor("request", ({ method }) => method === "session/request_permission", {
      from,
    });
    const cancel = await out.waitFor("cancel", ({ method }) => method === "$/cancel_request", { from });
    expect(cancel.params?.["requestId"]).toBe(asked.id);
    client.send({ jsonrpc: "2.0", id: asked.id, error: { code: -32800, message: "Taken back" } });
    await turn;
    expect(textOf(out.updates(sessionId, from))).toBe("taken back error -32800: Taken back");
  });

  it("of nothing does nothing [REQ bad-nothing]", async () => {
    const from = client.program.out.length;
    for (const requestId of ["never sent", 0, null]) client.notify("$/cancel_request", { requestId });
    await client.request("session/list", {});
    expect(client.program.out.messages(from)).toHaveLength(1);
  });
});
