/** `/sidecar …` in an editor that knows nothing of it. */
import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { exportSchema, listFilterSchema } from "../../src/acp/schema.ts";
import { useHarness } from "./harness/harness.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();
const env = { ACP_SIDECAR_COMMANDS: "on", XDG_CACHE_HOME: harness.path("cache") };

it("an agent without commands has ours in its list, and they do what they say [REQ commands-offered, commands-ours]", async () => {
  const cwd = harness.project();
  const client = await harness.connect({ agent: "echo", env });
  const { sessionId } = await client.newSession(cwd);
  await client.untilUpdate(sessionId, ({ sessionUpdate }) => sessionUpdate === "available_commands_update");
  await client.prompt(sessionId, "a lantern at sea");
  expect(await client.say(sessionId, "/sidecar search lantern")).toContain(`${sessionId}:1`);
  const exported = await client.say(sessionId, "/sidecar export html");
  const [name = "none"] = readdirSync(cwd);
  expect(name).toMatch(/a-lantern-at-sea.*\.html$/);
  expect(exported).toContain(name);
  expect(await client.say(sessionId, "/sidecar rewind")).toContain("Went back by 1 turn");
  const shown = textOf(await client.replay(sessionId, cwd), "user_message_chunk");
  expect([shown.includes("a lantern"), shown.includes("/sidecar rewind")]).toEqual([false, true]);
  expect(client.program.out.updates(sessionId).at(-1)?.["sessionUpdate"]).toBe("available_commands_update");
});

it("an editor gets a session as a text, and lists by filters of ours [REQ export-method, list-filters]", async () => {
  const client = await harness.connect({ agent: "echo" });
  const { sessionId } = await client.newSession(harness.project());
  await client.prompt(sessionId, "a lantern at sea");
  const params = { sessionId, format: "html", redact: true };
  const answer = await client.agent.request("_acp-sidecar/export", params);
  expect(exportSchema.parse({ params, result: answer }).result).toMatchObject({
    mimeType: "text/html",
    content: expect.stringContaining("a lantern at sea") as string,
    redactions: 0,
  });
  const listed = async (filter: object) => {
    const _meta = { "acp-sidecar": listFilterSchema.parse(filter) };
    return (await client.agent.request("session/list", { _meta })).sessions.map((each) => each.sessionId);
  };
  expect(await listed({ title: "lantern", limit: 1 })).toEqual([sessionId]);
  expect(await listed({ title: "nowhere" })).toEqual([]);
});
