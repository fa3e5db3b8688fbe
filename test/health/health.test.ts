/** The checks that `doctor` and probes ask, on real stores. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newSessionId } from "../../src/base/ids.ts";
import { clockFinding, roomFinding } from "../../src/health/checks-machine.ts";
import { health, HealthWatch, type Health, type HealthConfig } from "../../src/health/health.ts";
import { emptySession } from "../../src/session/registry-options.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStoreWith } from "../../src/store/open-encrypted.ts";
import { openStore } from "../../src/store/open.ts";
import { replaceBytes } from "../store/sql/sqlite/damage.ts";

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-health-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const hourMs = 3_600_000;

/** Whatever happens on this machine is not what these tests are about. */
function configOf(store: string, more: Partial<HealthConfig> = {}): HealthConfig {
  return { store, auditFile: path.join(folder, "audit.jsonl"), ...more };
}

function check({ checks }: Health, name: string) {
  const found = checks.find((each) => each.name === name);
  if (found === undefined)
    throw new Error(`no check ${name} among ${checks.map((each) => each.name).join(", ")}`);
  return found;
}

describe("health", () => {
  it("finds nothing wrong with a store in use, tells each check, and leaves nothing in it", async () => {
    const url = `sqlite:${path.join(folder, "sound.db")}`;
    await using store = await openStore(url);
    await new SessionRegistry({ store }).create({ cwd: "/tmp" });
    const found = await health(store, configOf(url), { cacheFolder: folder });
    expect(found.checks.map(({ name, ok }) => [name, ok])).toEqual(
      ["store", "sound", "writable", "disk", "clock", "search index", "key", "audit log", "left over"].map(
        (name) => [name, true],
      ),
    );
    expect(found.status).toBe("ok");
    expect(check(found, "sound").words).toBe("1 newest session read, 0 entries");
    expect(check(found, "writable").words).toMatch(/^yes, safe after [\d.]+ ms$/);
    expect(await store.count()).toBe(1);
  });

  it("names what is damaged, and writes nothing then", async () => {
    const file = path.join(folder, "damaged.db");
    const before = await openStore(`sqlite:${file}`);
    const { id } = await new SessionRegistry({ store: before }).create({ cwd: "/tmp/marked" });
    await before.close();
    replaceBytes(file, '"cwd":"/tmp/marked"', '"cwd"="/tmp/marked"');
    await using store = await openStore(`sqlite:${file}`);
    const found = await health(store, configOf(`sqlite:${file}`));
    expect(found.status).not.toBe("ok");
    const wrong = found.checks.find(({ ok }) => !ok);
    expect(wrong?.what ?? wrong?.words).toContain(id);
    expect(wrong?.fix).toContain("verify --repair");
    expect(check(found, "writable").words).toMatch(/^not tried/);
  });

  it("is failed while the store does not answer, within the bound", async () => {
    const store = await openStore("memory:");
    const silent = new Proxy(store, {
      get: (target, name) =>
        name === "list" ? () => new Promise(() => undefined) : (Reflect.get(target, name, target) as unknown),
    });
    const found = await health(silent, configOf("memory:"), { withinMs: 50 });
    expect(found.status).toBe("failed");
    expect(check(found, "store")).toMatchObject({ ok: false, words: "no answer within 50 ms" });
    await store.close();
    const closed = await health(store, configOf("memory:"));
    expect(closed.status).toBe("failed");
    expect(check(closed, "store").words).toMatch(/closed/);
  });

  it("is degraded by a clock that is before what was written", async () => {
    await using store = await openStore("memory:");
    const atMs = Date.now() + 3 * hourMs;
    await store.create({
      ...emptySession,
      id: newSessionId(),
      cwd: "/",
      createdAtMs: atMs,
      updatedAtMs: atMs,
      metadata: {},
    });
    const found = await health(store, configOf("memory:"));
    expect(found.status).toBe("degraded");
    expect(check(found, "clock")).toMatchObject({ ok: false, words: "3h before the newest session" });
    expect(clockFinding(1000, 0, -30_000)).toMatchObject({ ok: false, words: "was set back by 30s" });
    // A machine that slept is none that is wrong.
    expect(clockFinding(1000, 0, 8 * hourMs).ok).toBe(true);
  });

  it("says that a disk is nearly full", () => {
    expect(roomFinding({ freeBytes: 50 << 20, totalBytes: 2 ** 40 }).what).toMatch(/nearly full: 0.0 GiB/);
    expect(roomFinding({ freeBytes: 2 ** 31, totalBytes: 2 ** 40 })).toEqual({
      ok: true,
      words: "2.0 GiB of 1024.0 GiB free",
    });
  });

  it("is failed without the key, and says nothing of it", async () => {
    const keyFile = path.join(folder, "key");
    fs.writeFileSync(keyFile, Buffer.alloc(32, 7).toString("base64"), { mode: 0o600 });
    const url = `sqlite:${path.join(folder, "encrypted.db")}`;
    const encryptionKey = `file:${keyFile}`;
    await using store = await openStoreWith(url, { encryptionKey });
    const sound = await health(store, configOf(url, { encryptionKey }));
    expect([sound.status, check(sound, "key").words]).toEqual([
      "ok",
      expect.stringMatching(/^at hand, \w+$/),
    ]);
    fs.writeFileSync(keyFile, "not a key at all");
    const found = await health(store, configOf(url, { encryptionKey }));
    expect(found.status).toBe("failed");
    expect(check(found, "key").ok).toBe(false);
    expect(JSON.stringify(found)).not.toContain("not a key at all");
  });

  it("is failed by an audit log that cannot be written only where one is required", async () => {
    await using store = await openStore("memory:");
    fs.writeFileSync(path.join(folder, "a-file"), "");
    const auditFile = path.join(folder, "a-file", "audit.jsonl");
    const status = async (audit: "on" | "required") =>
      (await health(store, configOf("memory:", { auditFile, audit }))).status;
    expect([await status("on"), await status("required")]).toEqual(["degraded", "failed"]);
    const cut = path.join(folder, "cut.jsonl");
    fs.writeFileSync(cut, "no line of ours\n");
    const found = await health(store, configOf("memory:", { auditFile: cut }));
    expect(check(found, "audit log").fix).toContain("audit verify");
  });
});

it("a finding is told again for a while, and asked for once by all who ask at once", async () => {
  let asked = 0;
  const found: Health = { status: "ok", checks: [] };
  const ask = async () => {
    asked += 1;
    return found;
  };
  const fresh = new HealthWatch(ask, 60_000);
  await Promise.all([fresh.now(), fresh.now()]);
  await fresh.now();
  expect(asked).toBe(1);
  const never = new HealthWatch(ask, -1);
  await never.now();
  await never.now();
  expect(asked).toBe(3);
});
