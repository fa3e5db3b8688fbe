import { describe, expect, it } from "vitest";
import { derivedId, isSessionId, newSessionId } from "../../../src/base/ids.ts";
import { Children } from "../../../src/relay/live/children.ts";
import { LiveSession, type Binding } from "../../../src/relay/live/session.ts";

function bound(children: Children, agentSessionId: string, id = newSessionId()): LiveSession {
  const live = new LiveSession(id, { mcpServers: [] });
  live.binding = { agentSessionId } as Binding;
  children.bind(live);
  return live;
}

describe("the sessions of subagents", () => {
  it("have ids of our form, the same as long as the agent has their parent", () => {
    const children = new Children();
    const live = bound(children, "main");
    children.announce(live, "kid");
    const id = children.byAgentId("kid")?.id;
    expect([isSessionId(id), id]).toEqual([true, derivedId(live.id, "main", "kid")]);
    children.announce(live, "kid");
    expect(children.byId(id)).toEqual({ live, id, agentSessionId: "kid" });
    expect(children.unbind(live)).toEqual(["kid"]);
    expect(children.byAgentId("kid")).toBeUndefined();
    children.bind(live);
    expect(children.byAgentId("kid")?.id).toBe(id);
    // Another session of the agent's has other subagents, whatever it calls them.
    children.unbind(live);
    live.binding = { agentSessionId: "anew" } as Binding;
    children.bind(live);
    expect(children.byAgentId("kid")).toBeUndefined();
    children.announce(live, "kid");
    expect(children.byAgentId("kid")?.id).not.toBe(id);
    children.remove(live);
    expect(children.byId(id)).toBeUndefined();
  });

  it("have one parent, who is none of them", () => {
    const children = new Children();
    const [a, b] = [bound(children, "a"), bound(children, "b")];
    children.announce(a, "kid");
    children.announce(b, "kid");
    children.announce(a, "a");
    expect([children.byAgentId("kid")?.live, children.byAgentId("a")]).toEqual([a, undefined]);
  });
});
