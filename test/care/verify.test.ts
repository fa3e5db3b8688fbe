import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadEngine } from "../../src/store/sql/sqlite/engines.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { verifySessions } from "../../src/care/verify.ts";
import { openSqliteStore } from "../../src/store/sql/sqlite/store.ts";
import type { SessionRecord, Store } from "../../src/store/contract.ts";

let folder: string;
let store: Store;
let sound: SessionRecord;
let damaged: SessionRecord;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "acp-sidecar-verify-"));
  const path = join(folder, "sessions.db");
  store = await openSqliteStore({ path });
  const sessions = new SessionRegistry({ store });
  sound = await sessions.create({ cwd: "/tmp" });
  damaged = await sessions.create({ cwd: "/tmp" });
  for (const { id } of [sound, damaged]) {
    for (const content of ["one", "two", "three"]) await sessions.addMessage(id, { role: "user", content });
  }
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

describe("verifying a store", () => {
  it("counts what it has read and finds nothing wrong with a sound one", async () => {
    expect(await verifySessions(store)).toEqual({ sessions: 2, entries: 6, damages: [] });
  });

  it("names damage by session and entry and reads on", async () => {
    const db = (await loadEngine()).open(join(folder, "sessions.db"));
    const no = db.prepare("SELECT no FROM sessions WHERE id = ?").pluck().get(damaged.id) as number;
    db.prepare("DELETE FROM entries WHERE key = (? << 32) | 2").run(no);
    db.close();
    const { damages, sessions } = await verifySessions(store);
    expect(sessions).toBe(2);
    expect(damages).not.toEqual([]);
    expect(new Set(damages.map(({ sessionId }) => sessionId))).toEqual(new Set([damaged.id]));
    expect(damages[0]?.problem).toMatch(/2/);
  });
});
