import { describe, expect, it } from "vitest";
import type { Json } from "../../src/base/json.ts";
import { agentHas, agentLineOf, agentNameOf, agentNamesOf } from "../../src/session/agent-names.ts";

const of = (info?: Json, command?: string) => ({
  agent: { ...(info !== undefined && { info }), ...(command !== undefined && { command }) },
});

describe("the names of a session's agent", () => {
  it("are its title, its name and its program, as far as there are any", () => {
    const agent = of({ title: "Claude Agent", name: "claude-acp", version: "1.2" }, "/opt/bin/claude");
    expect(agentNamesOf(agent)).toEqual(["Claude Agent", "claude-acp", "claude"]);
    expect([agentNameOf(agent), agentLineOf(agent)]).toEqual(["Claude Agent", "Claude Agent 1.2"]);
    expect(agentNameOf(of({ title: "", name: 1 }, "/opt/bin/x"))).toBe("x");
    expect([agentNameOf({}), agentLineOf({}), agentNameOf(of("text"))]).toEqual(["", "", ""]);
  });

  it("are found by a part of one of them, in capitals or not, and by the path of the program", () => {
    const agent = of({ title: "Claude Agent", name: "claude-acp" }, "/opt/bin/c");
    for (const part of ["AGENT", "acp", "/opt/"]) expect(agentHas(agent, part)).toBe(true);
    expect(agentHas(agent, "codex")).toBe(false);
    expect(agentHas({}, "a")).toBe(false);
  });
});
