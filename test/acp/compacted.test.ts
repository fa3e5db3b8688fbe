import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { compactedEntry, compactedFrom } from "../../src/acp/compacted.ts";
import { lastHeardMark, withLastHeard, withoutLastHeard } from "../../src/acp/last-heard.ts";
import type { NewEntry } from "../../src/store/contract.ts";
import { chunk, end, newEntry, plan, prompt, thought, tool, type Item } from "../session/entries.ts";

const long = "line of output\n".repeat(200);
const text = (words: string) => ({ type: "content", content: { type: "text", text: words } });
const noteOf = (data: string) => `[compacted: ${Buffer.byteLength(data)} bytes]`;

/** Its data as it was and as it has become, parsed. */
function compacted(item: Item | NewEntry) {
  const before = "atMs" in item ? (item as NewEntry) : newEntry(item, 7);
  const after = compactedEntry(before);
  const data = after && (JSON.parse(after.data) as Record<string, never>);
  return { before, after, data, note: noteOf(before.data) };
}

describe("an old entry that is compacted", () => {
  it("has the hash and the size of what stood there, its kind and its time", () => {
    const { before, after } = compacted(thought(long, "m1"));
    expect(after).toMatchObject({ kind: "update", atMs: 7 });
    expect(compactedFrom(after ?? before)).toEqual({
      sha256: createHash("sha256").update(before.data).digest("hex"),
      bytes: Buffer.byteLength(before.data),
    });
    expect(compactedFrom(before)).toBeUndefined();
    expect(compactedEntry(after ?? before)).toBeUndefined();
  });

  it("shows no client when it was heard of last, and is known for that all the same", () => {
    const { data } = newEntry(tool({ title: "T", rawOutput: long }, "tool_call"), 7);
    const after = compactedEntry({ kind: "update", atMs: 7, data: withLastHeard(data, 9) });
    const said = withoutLastHeard(after?.data ?? "");
    expect([JSON.parse(after?.data ?? ""), said]).toEqual([
      expect.objectContaining({ [lastHeardMark]: 9 }),
      expect.not.stringContaining(lastHeardMark),
    ]);
    expect(compactedFrom({ data: said })).toBeDefined();
  });

  it("is a thought that says only that it was one", () => {
    const { data, note } = compacted(thought(long, "m1"));
    expect(data?.["update"]).toEqual({
      sessionUpdate: "agent_thought_chunk",
      content: { type: "text", text: note },
      messageId: "m1",
    });
  });

  it("is a tool call with its title, kind, status, locations, terminals, short texts and the paths of its diffs", () => {
    const call = {
      title: "Edit ".repeat(100),
      kind: "edit",
      status: "completed",
      locations: [{ path: "/home/ada/a.ts", line: 3 }],
    };
    const { data, note } = compacted(
      tool(
        {
          ...call,
          content: [
            text("short"),
            text(long),
            { type: "diff", path: "/home/ada/a.ts", oldText: long, newText: long },
            { type: "diff", path: "/home/ada/new.ts", newText: "one line" },
            { type: "terminal", terminalId: "t1" },
            text(long),
          ],
          rawInput: { command: "make all", text: long },
          rawOutput: { exit_code: 2, stdout: long },
          _meta: { agent: { toolName: "Edit", toolResponse: long }, other: long, small: 1 },
        },
        "tool_call",
      ),
    );
    expect(data?.["update"]).toEqual({
      sessionUpdate: "tool_call",
      toolCallId: "t",
      ...call,
      content: [
        text("short"),
        text(note),
        { type: "diff", path: "/home/ada/a.ts", oldText: "", newText: note },
        { type: "diff", path: "/home/ada/new.ts", newText: "one line" },
        { type: "terminal", terminalId: "t1" },
      ],
      rawInput: { command: "make all", text: note },
      rawOutput: { exit_code: 2 },
      _meta: { agent: { toolName: "Edit" }, small: 1 },
    });
  });

  it("shows its note where the tool gave something raw only", () => {
    const { data, note } = compacted(tool({ title: "Run", content: null, rawOutput: long }, "tool_call"));
    expect(data?.["update"]).toEqual({
      sessionUpdate: "tool_call",
      toolCallId: "t",
      title: "Run",
      content: [text(note)],
    });
    const progress = compacted(tool({ status: "completed", rawOutput: [long] }));
    expect(progress.data?.["update"]).toMatchObject({ status: "completed", rawOutput: progress.note });
  });

  it("may be a subagent's, or have a mark of ours already", () => {
    const { data } = newEntry(thought(long));
    const child = { kind: "update", atMs: 1, data: `{"acp-sidecar.child":"C1",${data.slice(1)}` } as const;
    const after = compacted(child).after?.data ?? "";
    expect(
      after.startsWith('{"acp-sidecar.child":"C1","update":{"sessionUpdate":"agent_thought_chunk"'),
    ).toBe(true);
    const marked = {
      ...child,
      data: `${data.slice(0, -1)},"_meta":{"acp-sidecar":{"origin":"sidecar"},"x":1}}`,
    };
    expect(compacted(marked).data?.["_meta"]).toMatchObject({
      "acp-sidecar": { origin: "sidecar", compacted: { bytes: Buffer.byteLength(marked.data) } },
      x: 1,
    });
  });

  it("is what an agent read, wrote and ran through the client, and the call of a permission, which stays", () => {
    const response = (method: string, result: object) =>
      compacted({ kind: "response", data: { id: 1, method, result } });
    const ran = response("terminal/output", { output: long, truncated: false, exitStatus: { exitCode: 1 } });
    expect(ran.data).toMatchObject({
      method: "terminal/output",
      result: { output: ran.note, truncated: false, exitStatus: { exitCode: 1 } },
    });
    const read = response("fs/read_text_file", { content: long });
    expect(read.data).toMatchObject({ result: { content: read.note } });
    const params = { path: "/home/ada/a.ts", content: long };
    const wrote = compacted({ kind: "request", data: { id: 2, method: "fs/write_text_file", params } });
    expect(wrote.data).toMatchObject({ params: { path: "/home/ada/a.ts", content: wrote.note } });
    const options = [{ optionId: "o", name: "Allow", kind: "allow_once" }];
    const toolCall = { toolCallId: "t", title: "Edit a.ts", content: [text(long)] };
    const asked = compacted({
      kind: "request",
      data: { id: 3, method: "session/request_permission", params: { toolCall, options } },
    });
    expect(asked.data).toMatchObject({
      params: { toolCall: { toolCallId: "t", title: "Edit a.ts", content: [text(asked.note)] }, options },
    });
    expect(response("session/request_permission", { outcome: { outcome: "x".repeat(999) } }).after).toBe(
      undefined,
    );
  });

  it("is never what was said, planned or summarised, nor what would take as much room", () => {
    for (const item of [
      prompt(long),
      chunk(long),
      chunk(long, "m", "user_message_chunk"),
      plan(long),
      end,
      { kind: "message", data: { role: "system", content: [{ type: "text", text: long }] } },
      { kind: "summary", data: { throughSeq: 1, content: [{ type: "text", text: long }], by: "a" } },
      { sessionUpdate: "something_new", content: long },
      thought("short"),
      tool({ title: long, content: [text("ok")] }, "tool_call"),
    ] as Item[])
      expect(compacted(item).after).toBeUndefined();
    for (const data of [
      "[]",
      '{"update":[]}',
      `{"update":{"sessionUpdate":"tool_call","x":"${long.length}"}}`,
    ])
      expect(compactedEntry({ kind: "update", atMs: 1, data: data.padEnd(400) })).toBeUndefined();
  });
});
