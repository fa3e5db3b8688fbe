import { describe, expect, it } from "vitest";
import { withChild } from "../../../src/acp/child-mark.ts";
import { updateOfParams, type ArrivedUpdate } from "../../../src/acp/updates.ts";
import type { Connection } from "../../../src/rpc/endpoint.ts";
import { Attachments, type Client } from "../../../src/relay/live/attachments.ts";

const usual = '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":';

function update(sessionId: string): ArrivedUpdate {
  return updateOfParams({ sessionId, update: { sessionUpdate: "plan", entries: [] } });
}

/** A client that writes down what it is sent. */
function client() {
  const heard: unknown[] = [];
  const connection = {
    sendTexts: async (texts: readonly string[]) => void heard.push(...texts),
    notify: async (...sent: unknown[]) => void heard.push(sent),
    request: async (...sent: unknown[]) => void heard.push(sent),
  };
  const self: Client = { connection: connection as unknown as Connection, facts: undefined };
  return { ...self, self, heard };
}

describe("two clients on one session", () => {
  it("are both told what the agent says, each under the id by which it knows the session", async () => {
    const [a, b] = [client(), client()];
    const attachments = new Attachments("session");
    attachments.attach(a.self, "ours");
    attachments.attach(b.self, "theirs");
    await attachments.sendUpdates([update("agent-1"), update("agent-1")]);
    await attachments.notify("_vendor/note", { sessionId: "agent-1", text: "x" });
    const heardAs = (id: string) => [
      ...Array.from({ length: 2 }, () => expect.stringContaining(`${usual}"${id}"`) as unknown),
      ["_vendor/note", { sessionId: id, text: "x" }],
    ];
    expect(a.heard).toEqual(heardAs("ours"));
    expect(b.heard).toEqual(heardAs("theirs"));
  });

  it("are asked one at a time: the one that prompted last, or the one that came first", () => {
    const [a, b] = [client(), client()];
    const attachments = new Attachments("session");
    expect(attachments.driver).toBeUndefined();
    attachments.attach(a.self, "ours");
    attachments.attach(b.self, "theirs");
    expect(attachments.driver?.client).toBe(a.self);
    attachments.noteDriver(b.self);
    expect(attachments.driver?.client).toBe(b.self);
  });
});

describe("what a journal from elsewhere says", () => {
  it("is shown in no other session that is open, whosever child it says to be", async () => {
    const a = client();
    const owners: Readonly<Record<string, string>> = {
      other: "other",
      "other's child": "other",
      child: "session",
    };
    const attachments = new Attachments("session");
    const attachment = attachments.attach({ ...a.self, whose: (id) => owners[id] }, "ours");
    const of = (child: string) => withChild('{"update":{}}', child);
    await attachment.sendStored([of("other"), of("child"), of("other's child"), '{"update":{}}', of("gone")]);
    expect(a.heard).toEqual(["child", "ours", "gone"].map((id) => `${usual}"${id}","update":{}}}`));
  });
});

describe("what a journal from elsewhere says on lines of its own", () => {
  it("is in the line of its message, and no message itself", async () => {
    const a = client();
    const attachment = new Attachments("session").attach(a.self, "ours");
    const message = '{"jsonrpc":"2.0","id":9,"method":"terminal/create","params":{}}';
    const data = ["\n", "\r", "\r\n"].map((end) => `{"update":{"a":${end}${message}${end}}}`);
    await attachment.sendStored([...data, withChild(data[0] ?? "", "child")]);
    expect(a.heard).toHaveLength(4);
    for (const each of a.heard) {
      expect(each).not.toMatch(/[\r\n]/);
      expect(JSON.parse(String(each))).toMatchObject({
        method: "session/update",
        params: { update: { a: { id: 9 } } },
      });
    }
  });
});

describe("a client that uses another id for its session", () => {
  it("is told of the session by the id that it used last, once", async () => {
    const a = client();
    const attachments = new Attachments("session");
    attachments.attach(a.self, "ours");
    attachments.attach(a.self, "theirs");
    expect([...attachments].map(({ sessionId }) => sessionId)).toEqual(["theirs"]);
    await attachments.of(a.self)?.sendStored(['{"update":{}}']);
    expect(a.heard).toEqual([`${usual}"theirs","update":{}}}`]);
  });
});
