import { describe, expect, it } from "vitest";
import { mostFiles, ToldFiles } from "../../src/context/told-files.ts";
import { compactedEntry } from "../../src/acp/compacted.ts";
import { withLastHeard } from "../../src/acp/last-heard.ts";
import type { NewEntry } from "../../src/store/contract.ts";
import { entry, prompt, update } from "../history/talk.ts";

const one = "fe05bcdcdc4928012781a5f1a2a77cbb5398e106";
const shaOfX = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
const filesIn = (...entries: NewEntry[]) => {
  const told = new ToldFiles("/p");
  for (const each of entries) told.take({ ...each, seq: 1 });
  return Object.fromEntries([...told.files].map(([file, { seq: _, atMs: __, ...what }]) => [file, what]));
};
const asked = (id: number | string, params: object) =>
  entry("request", { id, method: "fs/read_text_file", params });
const answered = (id: number | string, result: unknown) =>
  entry("response", { id, method: "fs/read_text_file", result });

describe("the files that a conversation is about [issue 13.2]", () => {
  it("are those that the agent has read and written through the client, with what they held", () => {
    expect(
      filesIn(
        asked(1, { path: "/p/a" }),
        asked("1", { path: "/p/b", line: 3 }),
        answered("1", { content: "x" }),
        answered(1, { content: "x" }),
        asked(2, { path: "/p/refused" }),
        answered(2, undefined),
        answered(3, { content: "of nobody" }),
        entry("request", { id: 4, method: "fs/write_text_file", params: { path: "/p/c", content: "x" } }),
      ),
    ).toEqual({
      "/p/a": { how: "read", wasThere: true, sha256: shaOfX },
      "/p/b": { how: "read", wasThere: true },
      "/p/c": { how: "written", sha256: shaOfX },
    });
  });

  it("are known by name alone where what was read and written has made room for a note", () => {
    const content = "what stood there\n".repeat(50);
    const write = entry("request", {
      id: 2,
      method: "fs/write_text_file",
      params: { path: "/p/b", content },
    });
    const compacted = [answered(1, { content }), write].map((each) => compactedEntry(each) ?? each);
    expect(compacted.map(({ data }) => data.includes("what stood there"))).toEqual([false, false]);
    expect(filesIn(asked(1, { path: "/p/a" }), ...compacted)).toEqual({
      "/p/a": { how: "read", wasThere: true },
      "/p/b": { how: "written" },
    });
  });

  it("are not those that the client refused to write", () => {
    const write = (id: number, file: string) =>
      entry("request", { id, method: "fs/write_text_file", params: { path: file, content: "y" } });
    const said = (id: number, what: object) =>
      entry("response", { id, method: "fs/write_text_file", ...what });
    const error = { code: -32000, message: "no" };
    expect(
      filesIn(
        asked(1, { path: "/p/a" }),
        answered(1, { content: "x" }),
        write(2, "/p/a"),
        write(3, "/p/new"),
        write(4, "/p/c"),
        said(2, { error }),
        said(3, { failed: true }),
        said(4, { result: null }),
        write(5, "/p/unanswered"),
      ),
    ).toMatchObject({
      "/p/a": { how: "read", sha256: shaOfX },
      "/p/c": { how: "written" },
      "/p/unanswered": { how: "written" },
    });
  });

  it("are those of tool calls, written when a change is done", () => {
    const call = (fields: object) => update("tool_call", { toolCallId: one, title: "t", ...fields });
    const diff = { type: "diff", path: "/p/d", newText: "n" };
    expect(
      filesIn(
        call({ kind: "read", status: "completed", locations: [{ path: "/p/r" }] }),
        call({ kind: "edit", status: "pending", content: [diff] }),
        call({
          kind: "edit",
          status: "completed",
          locations: [{ path: "/p/e", line: 1 }, { path: 7 }, null],
        }),
      ),
    ).toEqual({
      "/p/r": { how: "read", wasThere: true },
      "/p/d": { how: "read" },
      "/p/e": { how: "written" },
    });
    const there = { how: "written", wasThere: true };
    expect(filesIn(call({ status: "completed", content: [diff] }))).toEqual({ "/p/d": there });
    for (const fields of [{ content: [{ ...diff, newText: "" }] }, { kind: "move" }, { kind: "delete" }])
      expect(filesIn(call({ status: "completed", content: [diff], ...fields }))).toEqual({
        "/p/d": { how: "written" },
      });
    expect(filesIn(call({ kind: "edit", status: "failed", content: [diff] }))).toEqual({
      "/p/d": { how: "read" },
    });
  });

  it("are below the session's folder where their path is relative, and never lead out of it to be within", () => {
    const call = (fields: object) =>
      filesIn(update("tool_call", { toolCallId: one, title: "t", status: "completed", ...fields }));
    const read = { how: "read", wasThere: true };
    expect(
      call({ kind: "read", locations: [{ path: "src/a" }, { path: "./b" }, { path: "x/../c" }] }),
    ).toEqual({ "/p/src/a": read, "/p/b": read, "/p/c": read });
    expect(call({ kind: "edit", content: [{ type: "diff", path: "src/d", newText: "n" }] })).toEqual({
      "/p/src/d": { how: "written", wasThere: true },
    });
    const outside = ["../q/a", "..", "../p/a", "x/../../p/a", "x/..", ".", "", "~/a", "C:\\a", "file:///p/a"];
    for (const said of outside)
      expect(call({ kind: "read", locations: [{ path: said }] })).toEqual({ [said]: read });
    expect(
      filesIn(asked(1, { path: "a" }), answered(1, { content: "x" }), asked(2, { path: "../p/a" })),
    ).toEqual({ "/p/a": { ...read, sha256: shaOfX } });
  });

  it("are the one that a tool was given, where a call names no other", () => {
    const call = (fields: object) =>
      filesIn(update("tool_call", { toolCallId: one, title: "t", status: "completed", ...fields }));
    for (const name of ["path", "file_path", "filePath", "absolute_path", "notebook_path"])
      expect(call({ kind: "edit", rawInput: { [name]: "src/a", text: "x" } })).toEqual({
        "/p/src/a": { how: "written" },
      });
    const locations = [{ path: "/p/b" }];
    expect(Object.keys(call({ kind: "edit", rawInput: { path: "a" }, locations }))).toEqual(["/p/b"]);
    for (const rawInput of ["a", ["a"], null, { path: 7 }, { paths: ["a"] }])
      expect(call({ kind: "read", rawInput })).toEqual({});
    // Where a tool searches, or works, is no file that it was shown.
    for (const kind of ["search", "execute", "fetch", undefined])
      expect(call({ kind, rawInput: { path: "src" } })).toEqual({});
  });

  it("stand where they were told of last, also where a folded call stands before what came in it", () => {
    const call = {
      toolCallId: one,
      title: "t",
      kind: "edit",
      status: "completed",
      locations: [{ path: "/p/a" }],
    };
    const data = JSON.stringify({ update: { sessionUpdate: "tool_call", ...call } });
    const folded = { kind: "update" as const, atMs: 1, data: withLastHeard(data, 9) };
    const read = [asked(1, { path: "/p/a" }), answered(1, { content: "x" })].map((each) => ({
      ...each,
      atMs: 5,
    }));
    expect(filesIn(folded, ...read)).toEqual({ "/p/a": { how: "written" } });
    expect(filesIn({ ...folded, data }, ...read)).toEqual({
      "/p/a": { how: "read", wasThere: true, sha256: shaOfX },
    });
  });

  it("are those of a prompt, as it was there", () => {
    const blocks = [
      { type: "resource", resource: { uri: "file:///p/a%20b", text: "x" } },
      { type: "resource_link", uri: "file:///p/l", name: "l" },
      { type: "resource_link", uri: "https://example.com/p", name: "l" },
      { type: "resource", resource: { uri: "file://host/p", text: "x" } },
      { type: "resource" },
      null,
    ];
    expect(filesIn(entry("prompt", { prompt: blocks }), prompt("file:///p/none"))).toEqual({
      "/p/a b": { how: "read", sha256: shaOfX },
      "/p/l": { how: "read" },
    });
  });

  it("are so many at most, those told of last; and what is odd tells nothing", () => {
    const told = new ToldFiles("/p");
    for (let at = 0; at < mostFiles + 10; at += 1)
      told.take({
        seq: at + 1,
        ...update("tool_call", { toolCallId: "t", locations: [{ path: `/p/${at}` }, { path: "/p/always" }] }),
      });
    expect(told.files.size).toBe(mostFiles);
    expect(told.files.has("/p/0")).toBe(false);
    expect(told.files.has("/p/always")).toBe(true);
    for (const data of [
      '"fs/read_text_file"',
      '{"method":"fs/read_text_file"',
      "[]",
      '{"update":"tool_call"}',
    ])
      for (const kind of ["request", "response", "update", "prompt"] as const)
        expect(() => told.take({ kind, data, seq: 1, atMs: 1 })).not.toThrow();
  });
});
