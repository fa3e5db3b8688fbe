/** `demo`, with the program as it is built. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { compare } from "../../src/cli/demo-account.ts";
import { fixtureCommand } from "../e2e/harness/paths.ts";
import { cli } from "./harness.ts";

const asked = { sessionUpdate: "user_message_chunk", content: { type: "text", text: "Hello" } };

describe("demo", () => {
  it("kills a sidecar in the middle of a turn and shows that the conversation is whole", async () => {
    const { status, out, err } = await cli(["demo"]);
    expect([status, err]).toEqual([0, ""]);
    expect(out).toContain("in the middle of the turn");
    expect(out).toMatch(/All is there: the prompt, and all of the \d\d+ updates/);
    expect(out).toMatch(/Nothing was lost\.\n$/);
    const [, database = ""] = /store {2}sqlite:(.*)$/m.exec(out) ?? [];
    expect(fs.existsSync(path.dirname(database))).toBe(false);
  });

  it("does it with the agent that is named, whatever the user has configured", async () => {
    const { status, out } = await cli(["demo", ...fixtureCommand(["agent.mjs"])], {
      env: { ACP_SIDECAR_STORE: "nonsense", ACP_SIDECAR_MAX_SESSIONS: "0" },
    });
    expect(status).toBe(0);
    expect(out).toContain("Nothing was lost.");
  });

  it("waits for the agent's first words, however long it thinks, and shows them before and after the kill", async () => {
    const argv = ["demo", "--prompt", "tool\npause 2000\nslow 60000", ...fixtureCommand(["agent.mjs"])];
    const { status, out } = await cli(argv);
    expect(status).toBe(0);
    expect(out).toMatch(/Its words until then: "before"\n/);
    expect(out).toMatch(/Its words now: {8}"before"\n/);
    expect(out).toContain("in the middle of the turn");
  });

  it("has shown nothing, and fails, when the agent says nothing", async () => {
    const { status, out } = await cli([
      "demo",
      "--prompt",
      "tool\nplan\nstop end_turn",
      ...fixtureCommand(["agent.mjs"]),
    ]);
    expect(status).toBe(1);
    expect(out).toMatch(/without a word, so there was nothing to compare\.\n/);
    expect(out).not.toContain("Nothing was lost");
  });

  it("waits no longer than it is told to", async () => {
    const argv = ["demo", "--timeout", "1s", "--prompt", "pause 60000", ...fixtureCommand(["agent.mjs"])];
    expect((await cli(argv)).err).toMatch(/^acp-sidecar: There was no answer to \S+ within 1s; .*--timeout/);
    expect((await cli(["demo", "--timeout", "90"])).err).toMatch(/a time needs its unit/);
  });

  it("has status 6 and one line when the agent cannot be started", async () => {
    const { status, err } = await cli(["demo", "no-such-agent"]);
    expect(status).toBe(6);
    expect(err).toMatch(/^acp-sidecar: The agent no-such-agent could not be started: .*\n$/);
  });

  it("shows nothing of an agent's last words that a terminal would obey", async () => {
    const program = "console.error('fatal: \\x1b[31mred'); process.exit(1)";
    const { status, err } = await cli(["demo", process.execPath, "-e", program]);
    expect(status).toBe(6);
    expect(err).toMatch(/it said: fatal: \\u001b\[31mred\n$/);
  });

  it.each([
    ["the prompt", [], [], ["the prompt"]],
    ["a word", [said("one "), said("two")], [asked, said("one ")], ["text of agent_message_chunk"]],
    ["a tool call", [called("a")], [asked], ["tool call a"]],
    ["nothing", [said("one "), called("a")], [asked, called("a"), said("one two")], []],
  ])("finds out when %s is lost", (_, before, replay, missing) => {
    expect(compare("Hello", before, replay).missing).toEqual(missing);
  });
});

function said(text: string) {
  return { sessionUpdate: "agent_message_chunk", content: { type: "text", text } };
}

function called(toolCallId: string) {
  return { sessionUpdate: "tool_call", toolCallId };
}
