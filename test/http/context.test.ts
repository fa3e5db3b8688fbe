import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { scratchFolder } from "../cli/harness.ts";
import { end, entry, prompt } from "../history/talk.ts";
import { apiOn } from "./rig.ts";

const folder = scratchFolder();

it("a session's context is read, changed by version, merged, refused with both sides, refreshed and cleared [REQ D6.3]", async () => {
  const { ask } = await apiOn({ cacheFolder: folder });
  const { id } = (await ask("POST", "/api/sessions", { body: { cwd: folder } })).json;
  const at = `/api/sessions/${id}/context`;
  const first = await ask("GET", at);
  expect(first.json).toMatchObject({ version: 0, files: [], values: {}, project: { folder } });
  const tag = first.headers.get("etag") ?? "";
  expect((await ask("GET", at, { headers: { "if-none-match": tag } })).status).toBe(304);
  expect((await ask("PUT", at, { body: { values: { a: 1 } } })).status).toBe(428);

  const put = (value: object, match: string) =>
    ask("PUT", at, { headers: { "if-match": match }, body: { values: value } });
  const one = await put({ a: 1 }, tag);
  expect(one.json).toMatchObject({ values: { a: 1 } });
  expect((await put({ b: { deep: [2] } }, tag)).json.values).toEqual({ a: 1, b: { deep: [2] } });
  const conflict = await put({ a: 3 }, tag);
  expect(conflict.json).toMatchObject({
    status: 409,
    code: "CONTEXT_CONFLICT",
    conflicts: [{ key: "a", base: null, theirs: 1, yours: 3 }],
  });
  expect((await put({ a: null }, "*")).json.values).toEqual({ b: { deep: [2] } });
  expect((await put({ a: 1 }, '"nonsense"')).status).toBe(412);
  expect((await ask("POST", `${at}/refresh`)).json).toMatchObject({
    project: { folder },
    values: { b: { deep: [2] } },
  });
  expect((await ask("DELETE", at, { headers: { "if-match": tag } })).json.code).toBe("CONTEXT_CONFLICT");
  expect((await ask("DELETE", at)).json.values).toEqual({});
});

it("files that have moved on since the agent saw them are told", async () => {
  const { ask, owner } = await apiOn({ cacheFolder: folder });
  const [read, same] = [path.join(folder, "read.txt"), path.join(folder, "same.txt")];
  for (const file of [read, same]) fs.writeFileSync(file, "one\n");
  const { id } = await owner.create({ cwd: folder });
  const { journal } = await owner.open(id);
  const locations = [{ path: read }, { path: same }];
  const call = { toolCallId: "1", title: "Read", kind: "read", status: "completed", locations };
  // Surely after they were written, whatever clock the disk goes by.
  const atMs = Date.now() + 60_000;
  await journal.seal([
    prompt("Read"),
    entry("update", { update: { sessionUpdate: "tool_call", ...call } }, atMs),
    end(),
  ]);
  await journal.release();
  await ask("POST", `/api/sessions/${id}/context/refresh`);
  fs.writeFileSync(read, "another\n");
  const { json } = await ask("GET", `/api/sessions/${id}/context/changes`);
  expect(json.files).toEqual([{ path: read, how: "read", what: "changed" }]);
  const from = async (query: string) =>
    (await ask("GET", `/api/sessions/${id}/context/changes?${query}`)).json;
  expect(await from("from=1")).toMatchObject({ from: json.from, files: json.files });
  expect(await from("from=0&to=1")).toMatchObject({ code: "INVALID_PARAMS", first: json.from });
  expect(await from(`from=${String(json.from)}&to=${String(json.from)}`)).toMatchObject({
    to: json.from,
    files: [],
  });
  expect(await from("since=1")).toMatchObject({ code: "INVALID_PARAMS" });
});
