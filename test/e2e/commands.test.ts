/** `/sidecar …` in an editor that knows nothing of it. */
import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
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
