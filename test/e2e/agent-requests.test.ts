/** What the agent asks of the client: permission, files, terminals, elicitation, and things unknown. */
import { RequestError } from "@agentclientprotocol/sdk";
import { beforeAll, describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import type { Answer, SdkClient } from "./harness/sdk-client.ts";
import type { Message } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();
const text = 'первая\n\u{1F600}\u0000 "quoted" \\ \u2028 end';

const answers: Record<string, Answer> = {
  "session/request_permission": () => ({ outcome: { outcome: "selected", optionId: "no" } }),
  "fs/read_text_file": ({ path }) => {
    if (path === "/missing") throw new RequestError(-32002, "No such file", { path });
    return { content: text, _meta: { etag: 7 } };
  },
  "fs/write_text_file": () => ({}),
  "terminal/create": () => ({ terminalId: "term-1" }),
  "terminal/wait_for_exit": () => ({ exitCode: 3, signal: null }),
  "terminal/output": () => ({ output: "out", truncated: true, exitStatus: { exitCode: 3, signal: null } }),
  "terminal/kill": () => ({}),
  "terminal/release": () => ({}),
  "elicitation/create": () => ({ action: "accept", content: { branch: "main" } }),
  "_fixture/ask": (params) => ({ heard: params["question"], _meta: params["_meta"] }),
};

let client: SdkClient;
let sessionId = "";
beforeAll(async () => {
  client = await harness.connect({ answers });
  ({ sessionId } = await client.newSession(cwd));
});

/** What the agent says that it was answered: `word JSON`. */
async function answered(command: string): Promise<unknown> {
  const said = await client.say(sessionId, command);
  return JSON.parse(said.slice(said.indexOf(" ") + 1)) as unknown;
}

interface ShownEntry {
  readonly kind: string;
}

describe("a request of the agent", () => {
  it("for permission reaches the client and is answered, also the ids 0 and empty [REQ agent-requests, agent-request-ids]", async () => {
    expect(await answered("permission")).toEqual({ outcome: { outcome: "selected", optionId: "no" } });
    expect(await answered("permission")).toEqual({ outcome: { outcome: "selected", optionId: "no" } });
    const [agent] = client.program.agents();
    const asked = agent?.notes.flatMap((note) => ("asked" in note ? [note.asked.id] : []));
    expect(asked?.slice(0, 2)).toEqual([0, ""]);
  });

  it("carries our session id and nothing else changed [REQ translate-session-id, pass-fields]", async () => {
    await client.say(sessionId, "permission");
    const asked = client.asked.findLast(({ method }) => method === "session/request_permission");
    expect(asked?.params).toEqual({
      sessionId,
      toolCall: { toolCallId: "tool-p1", title: "Remove everything", kind: "delete", status: "pending" },
      options: [
        { optionId: "yes", name: "Allow", kind: "allow_once" },
        { optionId: "no", name: "Reject", kind: "reject_once" },
      ],
    });
  });

  it("for a file brings its content to the letter [REQ agent-requests, pass-fields]", async () => {
    expect(await answered("read /some/file")).toEqual({ content: text, _meta: { etag: 7 } });
    expect(await answered("write /some/file new content")).toEqual({});
    const asked = client.asked.findLast(({ method }) => method === "fs/write_text_file");
    expect(asked?.params).toEqual({ sessionId, path: "/some/file", content: "new content" });
  });

  it("for a terminal works through create, wait, output, kill and release [REQ agent-requests]", async () => {
    expect(await answered("terminal make")).toEqual({
      terminalId: "term-1",
      exit: { exitCode: 3, signal: null },
      output: { output: "out", truncated: true, exitStatus: { exitCode: 3, signal: null } },
    });
    const methods = client.asked.map(({ method }) => method).filter((method) => method.startsWith("term"));
    expect(methods).toEqual(
      ["create", "wait_for_exit", "output", "kill", "release"].map((word) => `terminal/${word}`),
    );
  });

  it("for an elicitation, and of a method nobody knows, goes the same way [REQ agent-requests, pass-method]", async () => {
    expect(await answered("elicit")).toEqual({ action: "accept", content: { branch: "main" } });
    expect(await answered("unknown-request")).toEqual({ heard: { deep: [1, null] }, _meta: { keep: true } });
  });

  it("is refused to the agent with the client's own error [REQ agent-request-errors]", async () => {
    expect(await client.say(sessionId, "read /missing")).toBe("read error -32002: No such file");
  });

  it("is kept in the journal with its answer [REQ agent-requests-journaled]", async () => {
    const store = harness.storeUrl();
    const asking = await harness.connect({ store, answers });
    const session = await asking.newSession(cwd);
    await asking.prompt(session.sessionId, "permission\nunknown-request");
    const show = ["sessions", "show", session.sessionId, "--entries", "--json", "--store", store];
    const shown = JSON.parse((await harness.cli(show)).stdout) as { entries: ShownEntry[] };
    const kinds = shown.entries.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "request")).toHaveLength(2);
    expect(kinds.filter((kind) => kind === "response")).toHaveLength(2);
    const text = JSON.stringify(shown.entries);
    for (const part of ["Remove everything", "optionId", "_fixture/ask"]) expect(text).toContain(part);
  });

  it("does not overtake the updates before it [REQ agent-request-order]", async () => {
    const from = client.program.out.length;
    await client.prompt(sessionId, "stream 300\npermission\nstream 300");
    const methods = client.program.out.messages(from).map(({ method }) => method);
    const numbered = methods.filter((method) => method !== undefined);
    expect(numbered.indexOf("session/request_permission")).toBe(300);
    expect(numbered).toHaveLength(602);
  });

  it("that belongs to a request outside a session names it by the client's id [REQ elicitation-request-scope, authenticate-forward]", async () => {
    const locked = await harness.connectRaw({ agent: ["agent.mjs", "--auth", "--auth-elicits"] });
    await locked.request("_fixture/echo", {});
    const authenticated = locked.request("authenticate", { methodId: "fixture-login" }, "log-me-in");
    const isElicitation = ({ method }: Message) => method === "elicitation/create";
    const { id, params } = await locked.program.out.waitFor("elicitation", isElicitation);
    expect(params?.["requestId"]).toBe("log-me-in");
    locked.send({ jsonrpc: "2.0", id, result: { action: "decline" } });
    expect(await authenticated).toEqual({});
  });
});
