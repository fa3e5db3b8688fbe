import { describe, expect, it } from "vitest";
import { talk, written } from "../history/talk.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { apiOn } from "./rig.ts";

describe("what is taken along, found and counted", () => {
  it("is exported in every form, and a bundle is brought in elsewhere", async () => {
    const store = openMemoryStore();
    const { id } = await written(store, talk());
    const { ask } = await apiOn({ store });
    const at = `/api/sessions/${id}/export`;
    expect((await ask("POST", at)).text).toContain("# Totals");
    for (const format of ["markdown", "html", "json", "jsonl", "bundle"]) {
      const { status, text, headers } = await ask("POST", at, { body: { format } });
      expect(status, format).toBe(200);
      expect(text, format).toContain("Please said");
      expect(headers.get("content-disposition")).toMatch(/^attachment; filename\*=UTF-8''2026-/);
    }
    const bundle = (await ask("POST", at, { body: { format: "bundle" } })).text;
    const other = await apiOn();
    const headers = { "content-type": "application/vnd.acp-sidecar.bundle" };
    const brought = await other.ask("POST", "/api/import", { headers, body: bundle });
    expect(brought.json).toMatchObject({ sessions: { imported: 1 }, imported: [id], problems: [] });
    expect((await other.ask("GET", `/api/sessions/${id}`)).json.title).toBe("Totals");
    const broken = await other.ask("POST", "/api/import", { headers, body: bundle.slice(0, -50) });
    expect(broken.json).toMatchObject({ status: 422, code: "BUNDLE_INVALID" });
    expect(
      (await other.ask("POST", "/api/import", { headers: { "content-type": "text/plain" }, body: "x" }))
        .status,
    ).toBe(415);
  });

  it("is no way to the files of the machine for who was lent a part", async () => {
    const { ask, tokenFor } = await apiOn();
    for (const token of [await tokenFor("write"), await tokenFor("admin", { folder: "/p" })])
      expect((await ask("POST", "/api/import", { token, body: { source: "claude" } })).json.code).toBe(
        "FORBIDDEN",
      );
  });

  it("is not exported by who may only read", async () => {
    const store = openMemoryStore();
    const { id } = await written(store, talk());
    const { ask, tokenFor } = await apiOn({ store });
    const token = await tokenFor("read");
    expect((await ask("POST", `/api/sessions/${id}/export`, { token })).json.code).toBe("FORBIDDEN");
    expect((await ask("POST", `/api/sessions/${id}/fork`, { token })).json.code).toBe("FORBIDDEN");
  });

  it("is found by its words, and counted", async () => {
    const store = openMemoryStore();
    const { id } = await written(store, talk("marmalade"));
    const { ask } = await apiOn({ store });
    const { sessions } = (await ask("GET", "/api/search?q=marmalade&role=user")).json;
    expect(sessions).toMatchObject([{ id, hits: [{ address: `${id}:17` }, { address: `${id}:1` }] }]);
    expect((await ask("GET", "/api/search?q=%22open")).json).toMatchObject({
      status: 400,
      code: "INVALID_QUERY",
    });
    expect((await ask("GET", "/api/search")).json.code).toBe("INVALID_PARAMS");
    expect((await ask("GET", "/api/usage?by=agent")).json).toMatchObject({
      by: "agent",
      rows: [{ turns: 2 }],
    });
  });
});

describe("what belongs to somebody", () => {
  it("is shared, listed, and shared no longer", async () => {
    const { ask } = await apiOn({ identity: "ann" });
    const { id } = (await ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json;
    const at = `/api/sessions/${id}/share`;
    const share = await ask("POST", at, { body: { with: "bob", permissions: ["read", "prompt"] } });
    expect(share.json).toMatchObject({ with: "bob", by: "ann", permissions: ["read", "prompt"] });
    expect((await ask("GET", at)).json).toMatchObject({ owner: "ann", shares: [{ with: "bob" }] });
    expect((await ask("DELETE", `${at}?with=bob`)).json).toEqual({ with: "bob", wasShared: true });
    expect((await ask("DELETE", `${at}?with=bob`)).json).toEqual({ with: "bob", wasShared: false });
  });
});

describe("a request that comes again", () => {
  it("with its key is answered as it was, and done once, also by another process", async () => {
    const store = openMemoryStore();
    const { ask, admin } = await apiOn({ store });
    const headers = { "idempotency-key": "k-1" };
    const body = { cwd: "/p" };
    const both = await Promise.all([1, 2].map(() => ask("POST", "/api/sessions", { headers, body })));
    expect(both[0]?.json.id).toBe(both[1]?.json.id);
    const other = await apiOn({ store });
    const again = await other.ask("POST", "/api/sessions", { token: admin, headers, body });
    expect(again.json.id).toBe(both[0]?.json.id);
    expect(again.json.metadata).toEqual({});
    expect((await ask("POST", "/api/sessions", { headers, body: { cwd: "/q" } })).status).toBe(422);
    expect((await ask("POST", "/api/sessions", { headers: { "idempotency-key": "a b" }, body })).status).toBe(
      400,
    );

    const at = `/api/sessions/${again.json.id}/messages`;
    const message = { headers: { "idempotency-key": "m" }, body: { role: "user", content: "once" } };
    await ask("POST", at, message);
    await ask("POST", at, message);
    expect((await ask("GET", `/api/sessions/${again.json.id}`)).json.headSeq).toBe(1);
  });

  it("is done once where the answer is long, and a file is written for each", async () => {
    const { ask } = await apiOn();
    const metadata = { long: "x".repeat(50_000) };
    const { id } = (await ask("POST", "/api/sessions", { body: { cwd: "/p", metadata } })).json;
    const at = `/api/sessions/${id}`;
    await ask("POST", `${at}/messages`, { body: { role: "user", content: "Hi" } });
    const keyed = (key: string, body: object) => ({ headers: { "idempotency-key": key }, body });
    const fork = () => ask("POST", `${at}/fork`, keyed("f", {}));
    expect((await fork()).json.id).toBe((await fork()).json.id);

    const exported = () => ask("POST", `${at}/export`, keyed("e", { format: "json" }));
    const files = [...(await Promise.all([exported(), exported()])), await exported()];
    expect(files.map(({ status }) => status)).toEqual([200, 200, 200]);
    for (const { text } of files) expect(text).toContain("Hi");
  });

  it("after it failed is done anew", async () => {
    const { ask } = await apiOn();
    const { id } = (await ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json;
    const rewind = { headers: { "idempotency-key": "r" }, body: { toSeq: 1 } };
    expect((await ask("POST", `/api/sessions/${id}/rewind`, rewind)).status).toBe(400);
    await ask("POST", `/api/sessions/${id}/messages`, { body: { role: "user", content: "x" } });
    await ask("POST", `/api/sessions/${id}/messages`, { body: { role: "user", content: "y" } });
    expect((await ask("POST", `/api/sessions/${id}/rewind`, rewind)).status).toBe(200);
  });
});
