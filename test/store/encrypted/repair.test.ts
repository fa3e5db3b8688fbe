/** What a repair makes again of a damaged encrypted store is encrypted like the rest, once the key is there. */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { SessionId } from "../../../src/base/ids.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import { openStoreWith } from "../../../src/store/open-encrypted.ts";
import { loadEngine } from "../../../src/sqlite/engines.ts";
import { cli } from "../../cli/harness.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-encrypted-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const keyFile = path.join(folder, "key");
fs.writeFileSync(keyFile, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
const encryption = { encryptionKey: `file:${keyFile}` };

async function withRegistry<T>(url: string, act: (registry: SessionRegistry) => Promise<T>): Promise<T> {
  await using store = await openStoreWith(url, encryption);
  await using registry = new SessionRegistry({ store });
  return await act(registry);
}

async function whatIsSaid(registry: SessionRegistry, id: SessionId): Promise<string[]> {
  const said: string[] = [];
  for await (const page of registry.read(id)) said.push(...page.map(({ data }) => data));
  return said;
}

describe("a record of an encrypted store that is lost", () => {
  it("is made again: entries, folder and rewinds are there, in a fork of a fork, too, and nothing is plain", async () => {
    const file = path.join(folder, "s.db");
    const url = `sqlite:${file}`;
    const ids = await withRegistry(url, async (registry) => {
      const { id } = await registry.create({ cwd: "/home/ada/engine", title: "Engine" });
      for (const content of ["one", "two", "three"]) await registry.addMessage(id, { role: "user", content });
      await registry.rewind(id, 2);
      const { id: fork } = await registry.fork(id);
      await registry.addMessage(fork, { role: "user", content: "four" });
      const { id: again } = await registry.fork(fork);
      await registry.addMessage(again, { role: "user", content: "five" });
      return [id, fork, again];
    });
    const seen = () =>
      withRegistry(url, async (registry) =>
        Promise.all(ids.map(async (id) => [await whatIsSaid(registry, id), await registry.superseded(id)])),
      );
    const before = await seen();
    const db = (await loadEngine()).open(file);
    db.exec("DELETE FROM records WHERE no > 2");
    db.close();
    const options = ["--store", url, "--encryption-key", encryption.encryptionKey];
    expect((await cli(["verify", ...options])).status).toBe(5);
    // Without the key it is repaired, but not encrypted.
    await cli(["verify", "--repair", "--store", url]);
    expect((await cli(["verify", ...options])).status).toBe(5);
    expect(await cli(["verify", "--repair", ...options])).toMatchObject({ status: 0, err: "" });
    expect(await seen()).toEqual(before);
    await withRegistry(url, async (registry) => {
      for (const id of ids)
        expect(await registry.get(id)).toMatchObject({ cwd: "/home/ada/engine", settings: {} });
      expect((await registry.list({ cwd: "/home/ada/engine" })).items).toHaveLength(3);
    });
    expect(await cli(["verify", ...options])).toMatchObject({ status: 0 });
  });
});
