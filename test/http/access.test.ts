import { describe, expect, it } from "vitest";
import { apiOn } from "./rig.ts";

describe("who may ask", () => {
  it("says so by a token that is known, and sees only what is theirs", async () => {
    const { ask, tokenFor } = await apiOn({ identity: "ann" });
    const { id } = (await ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json;
    for (const token of ["", `acps_${"x".repeat(43)}`]) {
      const refused = await ask("GET", "/api/sessions", { token });
      expect(refused.json).toMatchObject({ status: 401, code: "TOKEN_INVALID" });
      expect(refused.headers.get("www-authenticate")).toBe("Bearer");
    }
    const reader = await tokenFor("read");
    expect((await ask("GET", `/api/sessions/${id}`, { token: reader })).status).toBe(200);
    const body = { title: "No" };
    expect((await ask("PATCH", `/api/sessions/${id}`, { token: reader, body })).json.code).toBe("FORBIDDEN");
    const elsewhere = await tokenFor("write", { folder: "/q" });
    expect((await ask("GET", `/api/sessions/${id}`, { token: elsewhere })).status).toBe(404);
    expect((await ask("GET", "/api/sessions", { token: elsewhere })).json.sessions).toEqual([]);
    expect((await ask("POST", "/api/sessions", { token: elsewhere, body: { cwd: "/p" } })).status).toBe(403);
  });

  it("is answered so often in a second, and told when that is too much", async () => {
    const { ask, tokenFor } = await apiOn({ perSecond: 3 });
    const statuses = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await ask("GET", "/api/sessions")).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const refused = await ask("GET", "/api/sessions");
    expect(refused.json.code).toBe("REQUEST_LIMIT");
    expect(refused.headers.get("retry-after")).toBe("1");
    // Somebody else is not held up.
    expect((await ask("GET", "/api/sessions", { token: await tokenFor("read") })).status).toBe(200);
  });

  it("cannot go on with a token that has ended", async () => {
    const { ask, tokenFor } = await apiOn();
    const token = await tokenFor("read", { untilMs: Date.now() - 1 });
    expect((await ask("GET", "/api/sessions", { token })).json.code).toBe("TOKEN_INVALID");
  });

  it("is told that a token in a URL is spoilt", async () => {
    const { ask, admin } = await apiOn();
    for (const path of [
      `/api/sessions?token=${admin}`,
      `/${admin}`,
      `/api/sessions?x=${encodeURIComponent(admin)}`,
    ]) {
      const refused = await ask("GET", path);
      expect(refused).toMatchObject({ status: 400 });
      expect(refused.json.detail).toMatch(/revoke/);
      expect(refused.text).not.toContain(admin);
    }
  });

  it("is no page from elsewhere, and asks for this server by its name", async () => {
    const { ask } = await apiOn();
    const from = (headers: Record<string, string>, method = "GET", path = "/api/sessions") =>
      ask(method, path, { headers }).then(({ status }) => status);
    expect(await from({ host: "evil.example" })).toBe(400);
    expect(await from({ host: "127.0.0.1:80" })).toBe(400);
    expect(await from({ host: "localhost:7433" })).toBe(200);
    expect(await from({ origin: "http://evil.example" })).toBe(403);
    expect(await from({ origin: "null" })).toBe(403);
    expect(await from({ origin: "http://127.0.0.1:7433" })).toBe(200);
    expect(await from({ "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await from({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, "POST")).toBe(403);
    expect(await from({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, "GET", "/")).toBe(
      200,
    );
  });
});
