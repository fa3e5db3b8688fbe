import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { claude } from "../../../src/history/import/claude/reader.ts";
import { Intake } from "../../../src/history/import/intake.ts";
import type { NativeBatch, NativeSession } from "../../../src/history/import/native.ts";
import { hiddenAs } from "../../../src/session/hidden.ts";
import type { NewEntry, NewSession, SessionRecord, Store } from "../../../src/store/contract.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { wrapStore } from "../../../src/store/shell.ts";
import { onEveryStore } from "../../session/every-store.ts";
import { claudeFolder, claudeId, plainTurns, user } from "./claude-files.ts";
import { entriesOf, importFrom, outline, registryOf, scratchHome } from "./rig.ts";

const scratch = scratchHome();
let homes = 0;
const newHome = () => path.join(scratch, `home-${(homes += 1)}`);
const grow = (file: string, ...records: readonly unknown[]) =>
  fs.appendFileSync(file, records.map((each) => `${JSON.stringify(each)}\n`).join(""));

describe("an import into a store", () => {
  onEveryStore((open) => {
    it("brings sessions in with their own times, folder, agent and title", async () => {
      const [registry, home] = [registryOf(await open()), newHome()];
      claudeFolder(home, plainTurns);
      const { told, problems } = await importFrom(registry, claude, home);
      expect(problems).toEqual([]);
      expect(told).toMatchObject([{ what: "imported", source: "claude", nativeId: claudeId }]);
      const { items } = await registry.list();
      expect(items).toMatchObject([
        {
          id: told[0]?.id,
          cwd: "/home/ada/apple",
          title: "plant an apple tree",
          agentSessionIds: [claudeId],
          agent: { info: { name: "@agentclientprotocol/claude-agent-acp" } },
        },
      ]);
      expect(new Date(items[0]?.createdAtMs ?? 0).toISOString()).toContain("2026-03-01");
      expect(new Date(items[0]?.updatedAtMs ?? 0).toISOString()).toContain("2026-03-01");
      expect(items[0]?.headSeq).toBe(items[0]?.sealedSeq);
    });

    it("takes no time that there is not: one such session would be in the way of every list", async () => {
      const registry = registryOf(await open());
      for (const time of [9e15, -5, NaN, 1e300, 1.5]) {
        const entries = [{ kind: "prompt" as const, atMs: 7, data: JSON.stringify({ prompt: [] }) }];
        const facts = { agent: {}, createdAtMs: time, updatedAtMs: time };
        const native: NativeSession = {
          ...{
            source: "claude",
            nativeId: `at ${time}`,
            path: "/x",
            stamp: "s",
            modifiedAtMs: 1000,
            bytes: 1,
          },
          read: async function* () {
            yield { entries, facts, bytes: 1 };
          },
        };
        const { id } = await new Intake({ registry, report: () => {} }).take(native);
        const { createdAtMs, updatedAtMs } = await registry.get(id as NonNullable<typeof id>);
        for (const each of [createdAtMs, updatedAtMs]) expect([1, 1000]).toContain(each);
      }
    });

    it("does nothing the second time, and nothing when only the file's time is new", async () => {
      const [registry, home] = [registryOf(await open()), newHome()];
      const file = claudeFolder(home, plainTurns);
      const first = await importFrom(registry, claude, home);
      const before = await registry.list();
      expect((await importFrom(registry, claude, home)).told).toMatchObject([{ what: "present" }]);
      fs.utimesSync(file, new Date(), new Date());
      expect((await importFrom(registry, claude, home)).told).toMatchObject([{ what: "present" }]);
      const after = await registry.list();
      expect(after.items.map(({ headSeq, updatedAtMs }) => ({ headSeq, updatedAtMs }))).toEqual(
        before.items.map(({ headSeq, updatedAtMs }) => ({ headSeq, updatedAtMs })),
      );
      expect(await registry.count()).toBe(1);
      expect(after.items[0]?.id).toBe(first.told[0]?.id);
    });

    it("goes on with what has grown, wherever the last turn stood", async () => {
      const [registry, home] = [registryOf(await open()), newHome()];
      const file = claudeFolder(home, plainTurns.slice(0, 5));
      const [first] = (await importFrom(registry, claude, home)).told;
      for (const each of plainTurns.slice(5)) {
        grow(file, each);
        const { told } = await importFrom(registry, claude, home);
        expect(told).toMatchObject([{ what: "continued", id: first?.id }]);
      }
      const whole = registryOf(openMemoryStore());
      const [at] = (await importFrom(whole, claude, home)).told;
      const isEnd = (line: string) => line.startsWith("end");
      // Each import has ended the turn that was the last one then.
      expect(outline(await entriesOf(registry, first?.id)).filter((line) => !isEnd(line))).toEqual(
        outline(await entriesOf(whole, at?.id)).filter((line) => !isEnd(line)),
      );
      expect((await importFrom(registry, claude, home)).told).toMatchObject([{ what: "present" }]);
    });

    it("leaves a session alone that has gone on here, and says so", async () => {
      const [registry, home] = [registryOf(await open()), newHome()];
      const file = claudeFolder(home, plainTurns);
      const [first] = (await importFrom(registry, claude, home)).told;
      await registry.addMessage(first?.id as never, { role: "user", content: "said here" });
      // Nothing new there: nothing to say.
      fs.utimesSync(file, new Date(), new Date());
      expect((await importFrom(registry, claude, home)).told).toMatchObject([{ what: "present" }]);
      grow(file, user("u3", "a6", "said there"));
      const { told } = await importFrom(registry, claude, home);
      expect(told).toMatchObject([{ what: "skipped", id: first?.id }]);
      expect(told[0]?.reason).toContain("has gone on here");
      expect(outline(await entriesOf(registry, first?.id)).join()).not.toContain("said there");
    });

    it("makes a session anew that was written over there; the one before is in the trash", async () => {
      const [registry, home] = [registryOf(await open()), newHome()];
      claudeFolder(home, plainTurns);
      const [first] = (await importFrom(registry, claude, home)).told;
      claudeFolder(home, [user("u1", null, "plant a pear tree"), ...plainTurns.slice(1)]);
      const { told } = await importFrom(registry, claude, home);
      expect(told).toMatchObject([{ what: "replaced" }]);
      expect((await registry.list()).items.map(({ id }) => id)).toEqual([told[0]?.id]);
      expect((await registry.trash.list()).map(({ record }) => record.id)).toEqual([first?.id]);
      expect((await importFrom(registry, claude, home)).told).toMatchObject([{ what: "present" }]);
    });

    it("does not bring back what was deleted here, or what is a session here already", async () => {
      const [registry, home] = [registryOf(await open()), newHome()];
      claudeFolder(home, plainTurns);
      const [first] = (await importFrom(registry, claude, home)).told;
      await registry.remove(first?.id as never);
      expect((await importFrom(registry, claude, home)).told).toMatchObject([
        { what: "skipped", reason: expect.stringContaining("trash") as string },
      ]);
      const own = registryOf(await open());
      const { id } = await own.create({ cwd: "/home/ada/apple", agentSessionIds: [claudeId] });
      expect((await importFrom(own, claude, home)).told).toMatchObject([
        { what: "skipped", id, reason: "it is a session here already" },
      ]);
    });

    it("shows nothing of one that ended in the middle, and begins anew", async () => {
      const store = await open();
      const registry = registryOf(store);
      const left = await leftOver(store);
      expect(await registry.count()).toBe(0);
      expect((await registry.list()).items).toEqual([]);
      const intake = new Intake({ registry, report: () => undefined });
      const outcome = await intake.take(native([entry("prompt", { prompt: [] })]));
      expect(outcome).toMatchObject({ what: "imported", entries: 1 });
      expect(outcome.id).not.toBe(left);
      expect(await store.get(left)).toBeUndefined();
    });

    it("takes nothing away that another one has begun since it looked", async () => {
      const store = await open();
      const { brought } = registryOf(store);
      const { journal } = await brought.begin({ cwd: "/project", createdAtMs: 5, updatedAtMs: 5 });
      const { lease: _lease, ...asItWas } = (await store.get(journal.id)) as SessionRecord;
      await expect(brought.clear(asItWas)).rejects.toMatchObject({ code: "SESSION_BUSY" });
      await journal.seal([entry("prompt", { prompt: [] })]);
      await brought.discard(journal);
      await brought.clear(asItWas);
    });

    it("leaves a session to another one that took it for left behind before it was held", async () => {
      const store = await open();
      const create = async (session: NewSession) => {
        const record = await store.create(session);
        await store.delete(record.id);
        return record;
      };
      const registry = registryOf(wrapStore(store, { create }));
      const intake = new Intake({ registry, report: () => undefined });
      const outcome = await intake.take(native([entry("prompt", { prompt: [] })]));
      expect(outcome).toMatchObject({ what: "skipped", reason: "it is being imported by another process" });
      await registry.close();
    });

    it("leaves nothing behind when the original cannot be read to its end", async () => {
      const store = await open();
      const registry = registryOf(store);
      const intake = new Intake({ registry, report: () => undefined });
      const breaking = native(
        [entry("message", { role: "user", content: [{ type: "text", text: "x".repeat(2 << 20) }] })],
        true,
      );
      await expect(intake.take(breaking)).rejects.toThrow("torn");
      expect(await registry.count()).toBe(0);
      expect((await store.list()).items).toEqual([]);
    });

    it("lets one of two take a session when both come at once", async () => {
      const store = await open();
      const home = newHome();
      claudeFolder(home, plainTurns);
      const both = await Promise.all([1, 2].map(() => importFrom(registryOf(store), claude, home)));
      await importFrom(registryOf(store), claude, home);
      expect(await registryOf(store).count()).toBe(1);
      for (const { told } of both) expect(["imported", "skipped", "present"]).toContain(told[0]?.what);
    });
  });
});

const entry = (kind: NewEntry["kind"], data: unknown): NewEntry => ({
  kind,
  atMs: 5,
  data: JSON.stringify(data),
});

function native(entries: readonly NewEntry[], isTorn = false): NativeSession {
  return {
    source: "test",
    nativeId: "n1",
    path: "/nowhere",
    stamp: "1",
    modifiedAtMs: 5,
    bytes: 10,
    async *read(): AsyncGenerator<NativeBatch> {
      yield { entries, facts: { cwd: "/home/ada/project", agent: {} }, bytes: 10 };
      if (isTorn) throw new Error("torn");
    },
  };
}

/** As an import leaves it that was killed. */
async function leftOver(store: Store) {
  const registry = registryOf(store);
  const { journal } = await registry.brought.begin({
    cwd: "/home/ada/project",
    createdAtMs: 5,
    updatedAtMs: 5,
    agentSessionIds: ["n1"],
    metadata: { "acp-sidecar.import": "test:n1", ...hiddenAs("importing") },
  });
  await journal.seal([entry("prompt", { prompt: [] })]);
  await store.renew({ ...journal.lease, ttlMs: 0 });
  return journal.id;
}
