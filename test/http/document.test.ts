import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { talk, written } from "../history/talk.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { scratchFolder } from "../cli/harness.ts";
import { clientOf, type Given } from "./client.ts";
import { document, judge } from "./judge.ts";
import { apiOn, type Told } from "./rig.ts";

const folder = scratchFolder();

describe("the document", () => {
  it("says what it is, and its shapes are JSON Schema without a reference that leads nowhere", async () => {
    const { ask } = await apiOn();
    const served = (await ask("GET", "/api/openapi.json", { token: "" })).json;
    expect(served).toMatchObject({ openapi: "3.1.0", security: [{ token: [] }] });
    expect(served).toEqual(JSON.parse(JSON.stringify(document)));
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema({ $id: "document", ...served });
    const pointers = new Set(
      Array.from(JSON.stringify(served).matchAll(/"\$ref":"(#[^"]+)"/g), ([, each]) => each),
    );
    for (const pointer of pointers)
      expect(() => ajv.compile({ $ref: `document${pointer}` }), pointer).not.toThrow();
    for (const [path, item] of Object.entries(document.paths))
      for (const [method, { responses, parameters }] of Object.entries(item)) {
        const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        const inPath = parameters.filter((each) => each.in === "path").map((each) => each.name);
        expect(inPath, `${method} ${path}`).toEqual(named);
        expect(Object.keys(responses).some((status) => status.startsWith("2"))).toBe(true);
      }
  });

  it("has the fourteen routes of the plan, with these paths and methods", () => {
    const plan = {
      "/api/sessions": ["get", "post"],
      "/api/sessions/{id}": ["get", "delete"],
      "/api/sessions/{id}/extend": ["put"],
      "/api/sessions/{id}/history": ["get", "delete"],
      "/api/sessions/{id}/messages": ["post"],
      "/api/sessions/{id}/messages/{messageId}": ["get"],
      "/api/sessions/{id}/export": ["post"],
      "/api/sessions/{id}/context": ["get", "put", "delete"],
      "/api/sessions/{id}/context/refresh": ["post"],
    };
    for (const [path, methods] of Object.entries(plan))
      expect(Object.keys(document.paths[path] ?? {}), path).toEqual(expect.arrayContaining(methods));
    expect(Object.values(plan).flat()).toHaveLength(14);
  });

  it("is enough for a client, which reaches every operation and is answered as it says", async () => {
    const store = openMemoryStore();
    const { id } = await written(store, talk());
    const { raw } = await apiOn({ store, identity: "ann", cacheFolder: folder });
    const reached = new Set<string>();
    const client = clientOf(document, async (method, path, asking) => {
      const response = await raw(method, path, asking);
      if (response.headers.get("content-type") === "text/event-stream") await response.body?.cancel();
      else judge(method, path, response, await response.clone().text());
      return response;
    });
    const call = async (name: string, given?: Given, body?: unknown): Promise<Told> => {
      const response = await client.call(name, given, body);
      if (response.ok) reached.add(name);
      const isJson = response.headers.get("content-type") === "application/json";
      return (isJson ? await response.json() : {}) as Told;
    };
    const made = await call("createSession", { "Idempotency-Key": "one" }, { cwd: folder, title: "One" });
    const own = { id: made.id };
    await call("listSessions", { limit: 1, count: "true", state: "idle" });
    await call("getSession", own);
    await call("changeSession", own, { archived: true });
    await call("archiveSession", own, { archived: false });
    await call("extendSession", own);
    await call("readHistory", { id, limit: 5, include: "tools,thoughts,state,superseded" });
    const { seq = 0 } = (await call("addMessage", own, { role: "user", content: "Hello" })) as {
      seq?: number;
    };
    await call("getMessage", { ...own, messageId: seq });
    await call("rewindSession", own, { toSeq: 0 });
    await call("clearHistory", own);
    await call("getContext", own);
    await call("changeContext", { ...own, "If-Match": "*" }, { values: { a: 1 } });
    await call("refreshContext", own);
    await call("contextChanges", own);
    await call("clearContext", own);
    await call("forkSession", { id });
    await call("shareSession", own, { with: "bob" });
    await call("listShares", own);
    await call("unshareSession", { ...own, with: "bob" });
    expect(await call("makeLink", own)).toMatchObject({
      fragment: expect.stringMatching(`^#token=acps_.+&${own.id}$`) as string,
    });
    expect(await call("listShares", own)).toMatchObject({ links: [{}] });
    expect(await call("endLinks", own)).toEqual({ links: 1 });
    await call("cancel", own);
    expect(await call("endSession", own, { force: true })).toEqual({ id: made.id, ended: false });
    await call("listPermissions", own);
    await call("exportSession", { id }, { format: "json" });
    await call("search", { q: "said", limit: 3 });
    await call("usage", { by: "week" });
    await call("importSessions", {}, { source: "claude", isDryRun: true });
    await call("followSessions");
    await call("followSession", { id });
    await call("document");
    for (const name of ["alive", "ready", "metrics", "status", "tokenRights"]) await call(name);
    await call("deleteSession", { ...own, erase: "true" });
    // These need an agent: see prompt.test.ts, where they are judged, too.
    const agents = ["prompt", "decidePermission"];
    expect([...reached, ...agents].sort()).toEqual([...client.names].sort());
  });
});
