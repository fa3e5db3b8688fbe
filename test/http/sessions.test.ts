import { describe, expect, it } from "vitest";
import { newSessionId } from "../../src/base/ids.ts";
import { problemOf } from "../../src/http/problems.ts";
import { thisHolder } from "../../src/session/holder.ts";
import { Keyring } from "../../src/store/encrypted/keyring.ts";
import { encryptedStore } from "../../src/store/encrypted/store.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { leaseLost } from "../../src/store/refusals.ts";
import { apiOn } from "./rig.ts";

describe("sessions over HTTP", () => {
  it("are made, looked at, changed, kept longer and deleted [REQ D6.1]", async () => {
    const { ask } = await apiOn({ config: { retentionMs: 1000 } });
    const made = await ask("POST", "/api/sessions", {
      body: { cwd: "/p", title: "First", metadata: { team: "a" } },
    });
    expect(made.status).toBe(201);
    const { id } = made.json;
    expect(made.headers.get("location")).toBe(`/api/sessions/${id}`);
    expect((await ask("GET", `/api/sessions/${id}`)).json).toMatchObject({
      id,
      title: "First",
      state: "idle",
    });

    const body = { title: "Second", archived: true, metadata: { team: null, n: 2 } };
    const changed = await ask("PATCH", `/api/sessions/${id}`, { body });
    expect(changed.json).toMatchObject({ title: "Second", archived: true, metadata: { n: 2 } });
    expect(changed.json.metadata).not.toHaveProperty("team");

    const kept = await ask("PUT", `/api/sessions/${id}/extend`);
    expect(kept.json.expiresAtMs).toBe(kept.json.updatedAtMs + 1000);

    for (const cwd of ["p", "/p\0"])
      expect((await ask("POST", "/api/sessions", { body: { cwd } })).json.code).toBe("INVALID_PARAMS");
    expect((await ask("DELETE", `/api/sessions/${id}`)).status).toBe(204);
    expect((await ask("GET", `/api/sessions/${id}`)).json).toMatchObject({
      code: "SESSION_NOT_FOUND",
      status: 404,
    });
  });

  it("that cannot be decrypted are named beside the others", async () => {
    const inside = openMemoryStore();
    const store = await encryptedStore(inside, new Keyring(new Uint8Array(32)));
    const { ask } = await apiOn({ store });
    const made = async () => (await ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json.id;
    const [bad, good] = [await made(), await made()];
    await inside.update(bad, { title: "plain" });
    expect((await ask("GET", "/api/sessions")).json).toMatchObject({
      sessions: [{ id: good }],
      unreadable: [{ id: bad, code: "DECRYPT_FAILED" }],
    });
    expect((await ask("GET", `/api/sessions/${bad}`)).json).toMatchObject({ code: "DECRYPT_FAILED" });
  });

  it("are listed by pages, and by what is asked for", async () => {
    const { ask } = await apiOn();
    for (const [at, cwd] of ["/a", "/b", "/a", "/a"].entries())
      await ask("POST", "/api/sessions", { body: { cwd, title: `Session ${at}` } });
    const first = await ask("GET", "/api/sessions?limit=3&count=true");
    expect(first.json).toMatchObject({ total: 4 });
    const next = await ask("GET", `/api/sessions?limit=3&cursor=${first.json.nextCursor}`);
    const titles = [...first.json.sessions, ...next.json.sessions].map(({ title }) => title);
    expect(titles.sort()).toEqual([0, 1, 2, 3].map((at) => `Session ${at}`));
    expect((await ask("GET", "/api/sessions?cwd=/a")).json.sessions).toHaveLength(3);
    expect((await ask("GET", "/api/sessions?title=SION%201")).json.sessions).toHaveLength(1);
    expect((await ask("GET", "/api/sessions?state=running")).json.sessions).toHaveLength(0);
  });

  it("in which a turn runs are left alone, and the answer names who has them", async () => {
    const { ask, store } = await apiOn();
    const { id } = (await ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json;
    const holder = { ...thisHolder(), pid: process.ppid, startedAt: "another" };
    const request = { holder: { ...holder, host: "elsewhere/1" }, ttlMs: 60_000, mayTake: () => false };
    const { lease } = await store.acquire(id, request);
    await store.renew({ ...lease, turnRunning: true });
    const busy = await ask("DELETE", `/api/sessions/${id}`);
    expect(busy.json).toMatchObject({ status: 409, code: "SESSION_BUSY", turnRunning: true });
    expect(busy.json.holder).toMatchObject({ host: "elsewhere", pid: process.ppid });
    expect(busy.json.detail).toMatch(
      new RegExp(
        `^Session ${id} is held by process ${process.ppid} on elsewhere.* with a turn running; wait for it, or end it there: acp-sidecar sessions end ${id}$`,
      ),
    );
    expect((await ask("GET", `/api/sessions/${id}`)).json.state).toBe("running");
    expect((await ask("DELETE", `/api/sessions/${id}?force=true`)).status).toBe(204);
  });

  it("that somebody has taken over are told with who has them, as people call the host", () => {
    const holder = { ...thisHolder(), host: "elsewhere/machine/space" };
    const id = newSessionId();
    const lost = leaseLost(id, { holder, fence: 2, sinceMs: 1, expiresAtMs: 2, turnRunning: true });
    expect(problemOf(lost)).toMatchObject({ status: 409, holder: { host: "elsewhere" } });
    expect(problemOf(lost).detail).toMatch(/; ask again when it is free$/);
    expect(JSON.stringify(problemOf(lost))).not.toContain("machine");
  });

  it("are answered once more only when they have changed", async () => {
    const { ask } = await apiOn();
    const { id } = (await ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json;
    const tag = (await ask("GET", `/api/sessions/${id}`)).headers.get("etag") ?? "";
    const again = () => ask("GET", `/api/sessions/${id}`, { headers: { "if-none-match": tag } });
    expect(await again()).toMatchObject({ status: 304, text: "" });
    await ask("PATCH", `/api/sessions/${id}`, { body: { title: "Other" } });
    expect((await again()).status).toBe(200);
  });
});
