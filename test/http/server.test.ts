import { spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { noAudit } from "../../src/audit/audit.ts";
import { silentLogger } from "../../src/base/log.ts";
import { thisOwner } from "../../src/base/owner.ts";
import { defaults } from "../../src/config/options.ts";
import { listenFrom } from "../../src/http/listen.ts";
import { startHttp, type HttpParts, type HttpServer } from "../../src/http/server.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { guardedAs } from "../../src/store/guarded/open.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { scratchFolder } from "../cli/harness.ts";

const folder = scratchFolder();
const usage = (text: RegExp) =>
  expect.objectContaining({ code: "USAGE", message: expect.stringMatching(text) as string }) as unknown;

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serving(listen = "127.0.0.1:0", parts: Partial<HttpParts> = {}) {
  const store = parts.store ?? openMemoryStore();
  const shared = { store, config: { ...defaults }, audit: noAudit, log: silentLogger, env: {} };
  const nothing = { url: "memory:", cacheFolder: undefined, serve: undefined, perSecond: 100_000 };
  const server = await startHttp({ ...shared, ...nothing, listen: listenFrom(listen), ...parts });
  servers.push(server);
  const registry = new SessionRegistry({ store: guardedAs(store, {}) });
  const { secret } = await registry.sharing.tokens.create({ name: "t", scope: "admin" });
  const headers = { authorization: `Bearer ${secret}` };
  return {
    ...server,
    store,
    registry,
    headers,
    port: Number(new URL(`http:${server.url.slice(5)}`).port || 0),
  };
}

/** What a socket is told until it is closed. */
function told(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = net.connect(port, "127.0.0.1", () => void socket.write(text));
    socket.on("data", (data) => (answer += String(data)));
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

it("removes the bundle that a killed server was bringing in, and no other's", async () => {
  const { pid } = spawnSync("true");
  const { space } = thisOwner();
  const left = fs.mkdtempSync(path.join(os.tmpdir(), `acp-sidecar-import-${pid}-1-${space}-`));
  fs.writeFileSync(path.join(left, "sent.acpbundle"), "what was said");
  await serving();
  expect(fs.existsSync(left)).toBe(false);
});

describe("where it listens", () => {
  it("is this machine only, and a place that is free", async () => {
    const { port } = await serving();
    await expect(serving(`127.0.0.1:${port}`)).rejects.toEqual(usage(/is in use/));
    for (const place of ["0.0.0.0:1", "192.168.1.2:80", "example.org:80"])
      expect(() => listenFrom(place), place).toThrow(/TLS/);
    for (const place of ["", "7433", "127.0.0.1:", "127.0.0.1:99999", "[::1:5", "http://127.0.0.1:1"])
      expect(() => listenFrom(place), place).toThrow(/allowed/);
    expect(listenFrom("[::1]:7433")).toEqual({ host: "::1", port: 7433 });
  });

  it.skipIf(process.platform === "win32")(
    "may be a socket of the file system, its user's alone",
    async () => {
      const place = path.join(folder, "s.sock");
      const { headers, close } = await serving(`unix:${place}`);
      expect(fs.statSync(place).mode & 0o777).toBe(0o600);
      const status = await new Promise((resolve) =>
        http.get({ socketPath: place, path: "/api/sessions", headers }, ({ statusCode }) =>
          resolve(statusCode),
        ),
      );
      expect(status).toBe(200);
      await expect(serving(`unix:${place}`)).rejects.toEqual(usage(/in use/));
      await close();
      expect(fs.existsSync(place)).toBe(false);
      fs.writeFileSync(place, "mine");
      await expect(serving(`unix:${place}`)).rejects.toEqual(usage(/no socket/));
      expect(fs.readFileSync(place, "utf8")).toBe("mine");
      expect(() => listenFrom(`unix:${folder}/${"x".repeat(200)}`)).toThrow(/shorter/);
      await expect(serving(`unix:${folder}/none/s.sock`)).rejects.toEqual(
        usage(/There is no folder .*none /),
      );
    },
  );

  it.skipIf(process.platform === "win32")("is taken over from a process that was killed", async () => {
    const place = path.join(folder, "left.sock");
    const left = net.createServer().listen(place);
    await new Promise((resolve) => left.once("listening", resolve));
    fs.renameSync(place, `${place}.kept`);
    left.close();
    await new Promise((resolve) => left.once("close", resolve));
    fs.renameSync(`${place}.kept`, place);
    await serving(`unix:${place}`);
  });
});

describe("whoever sends badly", () => {
  it("is told what is wrong, and costs nobody else anything", async () => {
    const { url, headers, port } = await serving("127.0.0.1:0", {
      config: { ...defaults, maxEntryBytes: 1000 },
    });
    const post = (body: string | ReadableStream, more = {}) =>
      fetch(`${url}api/sessions`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json", ...more },
        body,
        duplex: "half",
      }).then((answer) => answer.json() as Promise<{ status: number; code: string }>);
    const long = "x".repeat(100_000);
    expect(await post(JSON.stringify({ cwd: "/p", title: long }))).toMatchObject({
      status: 413,
      code: "MESSAGE_TOO_LARGE",
    });
    const pieces = new ReadableStream({
      pull: (controller) => controller.enqueue(Buffer.from(long)),
    });
    await expect(post(pieces).catch(() => ({ status: 413 }))).resolves.toMatchObject({ status: 413 });
    expect(await post("{")).toMatchObject({ status: 400, code: "PARSE_ERROR" });
    expect(await post("[".repeat(50_000))).toMatchObject({ status: 400, code: "PARSE_ERROR" });
    expect(await post("cwd=/p", { "content-type": "application/x-www-form-urlencoded" })).toMatchObject({
      status: 415,
    });
    for (const body of [
      "null",
      "[]",
      "1",
      '{"cwd":5}',
      '{"cwd":"p"}',
      '{"cwd":"/p","more":1}',
      '{"cwd":"/p","metadata":{"a":{}}}',
    ])
      expect(await post(body), body).toMatchObject({ status: 400, code: "INVALID_PARAMS" });
    expect(await told(port, "GET / HTTP/1.1\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
    expect(await told(port, "GET / HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
    expect(await told(port, "nonsense\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
    expect(await told(port, `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX: ${long}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431/,
    );
    expect((await fetch(`${url}api/sessions`, { headers })).status).toBe(200);
  });

  it("with no body and no header that says so, has none: where one is optional that is no fault", async () => {
    const { port, headers, registry } = await serving();
    const { id } = await registry.create({ cwd: "/p" });
    const post = (action: string, more = "", body = "") =>
      told(
        port,
        `POST /api/sessions/${id}/${action} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: ${headers.authorization}\r\nConnection: close\r\n${more}\r\n${body}`,
      );
    for (const action of ["end", "export"]) expect(await post(action), action).toMatch(/^HTTP\/1.1 200/);
    expect(await post("share")).toMatch(/^HTTP\/1.1 415/);
    const form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\n";
    expect(await post("end", form, "force=true")).toMatch(/^HTTP\/1.1 415/);
  });

  it("or slowly, is given up", async () => {
    const { port } = await serving("127.0.0.1:0", {
      patience: { headersMs: 100, requestMs: 200, lookedAtMs: 50 },
    });
    expect(await told(port, "GET / HTTP/1.1\r\nHost: ")).toMatch(/^HTTP\/1.1 408/);
    const head = `POST /api/sessions HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 10\r\n\r\n{`;
    expect(await told(port, head)).toMatch(/^HTTP\/1.1 (401|408)/);
  });

  it("without a token again and again, waits", async () => {
    const { url } = await serving();
    const begunMs = performance.now();
    const answers = await Promise.all(Array.from({ length: 8 }, () => fetch(`${url}api/sessions`)));
    for (const { status } of answers) expect(status).toBe(401);
    expect((await fetch(`${url}api/sessions`)).status).toBe(401);
    expect(performance.now() - begunMs).toBeGreaterThan(500);
  });
});

describe("answers", () => {
  it("are compressed for whoever takes that", async () => {
    const { url, headers, registry } = await serving();
    for (let each = 0; each < 20; each += 1) await registry.create({ cwd: "/p", title: `Session ${each}` });
    const asked = (encoding: string) =>
      fetch(`${url}api/sessions`, { headers: { ...headers, "accept-encoding": encoding } });
    const [zipped, plain] = await Promise.all([asked("gzip"), asked("identity")]);
    expect([zipped, plain].map((each) => each.headers.get("content-encoding"))).toEqual(["gzip", null]);
    expect(await zipped.text()).toBe(await plain.text());
    expect((await asked("gzip;q=0")).headers.get("content-encoding")).toBeNull();
  });

  it("that go on cost nothing any more when nobody reads them", async () => {
    let looks = 0;
    const inner = openMemoryStore();
    const store = wrapStore(inner, {
      get: (id) => {
        looks += 1;
        return inner.get(id);
      },
    });
    const { url, headers, registry } = await serving("127.0.0.1:0", { store });
    const { id } = await registry.create({ cwd: "/p" });
    const leaving = new AbortController();
    const { body } = await fetch(`${url}api/sessions/${id}/events`, { headers, signal: leaving.signal });
    await body?.getReader().read();
    leaving.abort();
    const looksIn = async (ms: number) => {
      const before = looks;
      await new Promise((resolve) => setTimeout(resolve, ms));
      return looks - before;
    };
    await expect.poll(() => looksIn(250), { timeout: 5000 }).toBe(0);
  });

  it("that go on end with the server, which ends in order", async () => {
    const { url, headers, registry, close } = await serving();
    const { id } = await registry.create({ cwd: "/p" });
    const [one, list] = await Promise.all(
      [`api/sessions/${id}/events`, "api/events"].map((at) => fetch(url + at, { headers })),
    );
    const rest = Promise.all([one?.text(), list?.text()]);
    const begunMs = performance.now();
    await close();
    expect(performance.now() - begunMs).toBeLessThan(2000);
    const [ofOne, ofList] = await rest;
    expect(ofOne).toContain("event: session");
    expect(ofList).toContain("event: following");
  });
});
