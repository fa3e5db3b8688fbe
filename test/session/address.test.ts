import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { toSessionId } from "../../src/base/ids.ts";
import { hiddenAs } from "../../src/session/hidden.ts";
import { emptySession } from "../../src/session/registry-options.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { Store } from "../../src/store/contract.ts";
import { aJournal } from "../conformance/samples.ts";
import { onEveryStore } from "./every-store.ts";

const [old, middle, newest, elsewhere, hidden] = [
  "01KB000000AAAAAAAAAAAAAAA1",
  "01KB000000BBBBBBBBBBBBBBA1",
  "01KC000000CCCCCCCCCCCCCCD2",
  "01KD000000DDDDDDDDDDDDDDE2",
  "01KE000000EEEEEEEEEEEEEEF3",
] as const;

async function filled(store: Store): Promise<SessionRegistry> {
  const make = (id: string, updatedAtMs: number, cwd: string, metadata = {}) =>
    store.create({ ...emptySession, id: toSessionId(id), createdAtMs: 1, updatedAtMs, cwd, metadata });
  await make(old, 1000, "/here");
  await make(middle, 2000, "/here");
  await make(newest, 3000, "/here");
  await make(elsewhere, 4000, "/elsewhere");
  await make(hidden, 5000, "/here", hiddenAs("adopting"));
  return new SessionRegistry({ store });
}

const notFound = { code: "SESSION_NOT_FOUND" };

onEveryStore((open) => {
  it.each([
    [old, old],
    [old.toLowerCase(), old],
    [` ${old} `, old],
    ["01KC", newest],
    ["01kc0000", newest],
    ["AAA1", old],
    ["ccd2", newest],
    ["last", newest],
    ["LAST", newest],
    ["last~0", newest],
    ["last~1", middle],
    ["last~2", old],
  ])("%j is %s", async (address, id) => {
    const registry = await filled(await open());
    expect((await registry.resolve(address, ["/here"])).record.id).toBe(id);
  });

  it.each([
    ["01KB", [middle, old]],
    ["01KB000000", [middle, old]],
    ["01K", undefined],
    ["AA1", undefined],
    ["BBBB", undefined],
    ["01KE", undefined],
    [hidden, undefined],
    ["", undefined],
    ["%%%%", undefined],
    ["****", undefined],
    ["last~3", undefined],
    ["last~", undefined],
    ["last~1000", undefined],
    ["latest", undefined],
  ])("%j is refused: candidates %j", async (address, candidates) => {
    const registry = await filled(await open());
    const refusal =
      candidates === undefined
        ? notFound
        : { code: "SESSION_AMBIGUOUS", data: { candidates }, exitStatus: 2 };
    const error: unknown = await registry.resolve(address, ["/here"]).catch((reason: unknown) => reason);
    expect(error).toMatchObject(refusal);
    for (const id of candidates ?? []) expect((error as Error).message).toContain(id);
  });

  it("names a few of many candidates", async () => {
    const store = await open();
    for (let i = 0; i < 9; i += 1)
      await store.create({
        ...emptySession,
        id: toSessionId(`01KF00000${i}AAAAAAAAAAAAAAA${i}`),
        createdAtMs: 1,
        updatedAtMs: 1,
        cwd: "/",
      });
    const error: unknown = await new SessionRegistry({ store })
      .resolve("01KF")
      .catch((reason: unknown) => reason);
    expect((error as Error).message).toMatch(/^"01KF" fits .*: (01KF\w{22}, ){4}01KF\w{22} and others$/);
  });

  it("names an entry behind a colon", async () => {
    const store = await open();
    const { id } = await aJournal(store, 3);
    const registry = new SessionRegistry({ store });
    expect(await registry.resolve(`${id}:2`)).toMatchObject({ record: { id }, seq: 2 });
    expect(await registry.resolve(`${id.slice(-8)}:3`)).toMatchObject({ record: { id }, seq: 3 });
    expect(await registry.resolve(id)).not.toHaveProperty("seq");
    for (const seq of [0, 4]) {
      const message = `Session ${id} has no entry ${seq}; its entries are 1 to 3`;
      await expect(registry.resolve(`${id}:${seq}`)).rejects.toMatchObject({
        code: "INVALID_PARAMS",
        message,
      });
    }
    for (const wrong of [`${id}:`, `${id}:x`, `${id}:1:2`, `${id}:-1`])
      await expect(registry.resolve(wrong)).rejects.toMatchObject(notFound);
  });

  it("takes a folder for the same by whichever link, and says whose newest is missing", async () => {
    const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-address-")));
    const link = `${folder}-link`;
    fs.symlinkSync(folder, link, "dir");
    const registry = new SessionRegistry({ store: await open() });
    await expect(registry.resolve("last", [link])).rejects.toMatchObject({
      ...notFound,
      message: `No session "last": There are no sessions of ${link}; see acp-sidecar sessions ls`,
    });
    const real = await registry.create({ cwd: folder });
    expect((await registry.resolve("last", [link])).record.id).toBe(real.id);
    const linked = await registry.create({ cwd: link });
    await registry.update(linked.id, () => ({ updatedAtMs: Date.now() + 1000 }));
    expect((await registry.resolve("last", [folder, link])).record.id).toBe(linked.id);
    expect((await registry.resolve("last~1", [folder, link])).record.id).toBe(real.id);
    fs.rmSync(link);
    fs.rmdirSync(folder);
  });
});
