import { describe, expect, it } from "vitest";
import { childIn, withChild } from "../../src/acp/child-mark.ts";
import { announcedIn, mayNameSessions, renamed } from "../../src/acp/children.ts";
import { dataOf, updateOfText, type UpdateParams } from "../../src/acp/updates.ts";

const names: Readonly<Record<string, string>> = { me: "OURS", kid: "CHILD" };
const nameOf = (id: string) => names[id];

function updateOf(params: string) {
  const text = `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"me",${params}}}`;
  return updateOfText(text, (JSON.parse(text) as { params: UpdateParams }).params, 3);
}

describe("sessions that an update names", () => {
  it.each([
    ['"update":{"sessionUpdate":"subagent_update","sessionId":"kid","n":1e21}', '"CHILD","n":1e21'],
    [
      '"update":{"sessionUpdate":"session_message","messageId":"kid","senderSessionId":"me","recipientSessionId":"kid"},"_meta":{"a":1.0}',
      '"messageId":"kid","senderSessionId":"OURS","recipientSessionId":"CHILD"},"_meta":{"a":1.0}',
    ],
    [
      '"update":{"sessionUpdate":"tool_call","toolCallId":"kid","content":[{"type":"session","sessionId":"kid"}],"rawOutput":{"sessionId":"kid"}}',
      '"content":[{"type":"session","sessionId":"CHILD"}],"rawOutput":{"sessionId":"kid"}}',
    ],
    ['"update":{"sessionUpdate":"session_message","senderSessionId":null}', '"senderSessionId":null'],
    ['"update":{"sessionUpdate":"subagent_update","sessionId":"other"}', '"sessionId":"other"'],
  ])("are named otherwise, and all else stays to the letter: %s", (params, part) => {
    const update = updateOf(params);
    expect(mayNameSessions(update)).toBe(true);
    const now = renamed(update, nameOf);
    expect(dataOf(now)).toContain(part);
    expect(now.rest.slice(now.paramsChars)).toBe(update.rest.slice(update.paramsChars));
    expect(announcedIn(update)).toBe(/subagent_update","sessionId":"(\w+)/.exec(params)?.[1]);
  });

  it("are no matter to others", () => {
    const text = '"update":{"sessionUpdate":"agent_message_chunk","content":{"type":"session"}}';
    expect(mayNameSessions(updateOf(text))).toBe(false);
  });
});

describe("an entry of a subagent's session", () => {
  it("says whose it is, and is otherwise as it came", () => {
    const data = '{"update":{"sessionUpdate":"x","n":1.0}}';
    expect(childIn(withChild(data, "CHILD"))).toEqual({ child: "CHILD", data });
    expect(childIn(data)).toBeUndefined();
  });
});
