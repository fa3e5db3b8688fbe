/**
 * An import that is killed at any write of it, and run again: what is there then is what an undisturbed one leaves.
 * @module-tag long
 */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { SidecarError } from "../../../src/base/errors.ts";
import { exportSession } from "../../../src/history/export/export.ts";
import { bundles } from "../../../src/history/import/bundle/reader.ts";
import { claude } from "../../../src/history/import/claude/reader.ts";
import type { HistoryReader } from "../../../src/history/import/native.ts";
import { importHistory } from "../../../src/history/import/run.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { Entry, Lease, SessionRecord, Store } from "../../../src/store/contract.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { wrapStore } from "../../../src/store/shell.ts";
import { end, entry, prompt, say, startMs, talk, written } from "../talk.ts";
import { assistant, claudeFolder, plainTurns, text, user } from "./claude-files.ts";
import { scratchHome } from "./rig.ts";

const scratch = scratchHome();

/** Each of them as what was killed would leave it: no write after it happens, and nobody gives the session back. */
class Dying {
  readonly store: Store;
  isDead = false;
  /** What was packed for the archive. */
  readonly packed: string[] = [];
  readonly #inner: Store;
  readonly #leases = new Map<string, Lease>();
  #left: number;

  constructor(inner: Store, writes: number) {
    this.#inner = inner;
    this.#left = writes;
    const write = <A extends readonly unknown[], R>(act: (...args: A) => Promise<R>) => {
      return (...args: A): Promise<R> => {
        this.isDead ||= this.#left === 0;
        if (this.isDead) throw new SidecarError("STORE_UNAVAILABLE", "killed");
        this.#left -= 1;
        return act(...args);
      };
    };
    this.store = wrapStore(inner, {
      create: write((session) => inner.create(session)),
      update: write((id, patch, lease) => inner.update(id, patch, lease)),
      delete: write((id, lease) => inner.delete(id, lease)),
      append: write((...args) => inner.append(...args)),
      seal: write((...args) => inner.seal(...args)),
      compress: write(async (id, lease) => {
        await inner.compress(id, lease);
        this.packed.push(id);
      }),
      release: write((lease) => inner.release(lease)),
      acquire: write(async (id, request) => {
        const got = await inner.acquire(id, request);
        this.#leases.set(id, got.lease);
        return got;
      }),
    });
  }

  /** The process is gone, and with it what it held. */
  async bury(): Promise<void> {
    for (const lease of this.#leases.values())
      await this.#inner.renew({ ...lease, ttlMs: 0 }).catch(() => undefined);
  }
}

/** All that is in a store, in the order of what was said; ids that are made for an import are not the same twice. */
async function contentOf(store: Store, isOurs: boolean) {
  const all = [];
  for (const record of (await store.list()).items) {
    const { lease: _, lineage, id, ...told } = record;
    const entries: Entry[] = [];
    for await (const page of store.read(id)) entries.push(...page);
    const shown = entries.map(({ seq, kind, atMs, data }) => [
      seq,
      kind,
      atMs,
      data.slice(0, 80),
      data.length,
    ]);
    all.push({
      id: isOurs ? id : "",
      atSeq: lineage?.atSeq,
      record: JSON.stringify(told, undefined, 1),
      shown,
    });
  }
  return all.sort((a, b) => (a.record < b.record ? -1 : 1));
}

async function take(store: Store, reader: HistoryReader, place: string) {
  const registry = new SessionRegistry({ store, now: () => startMs });
  await importHistory({ registry, reader, places: [place] });
}

interface Story {
  readonly reader: HistoryReader;
  /** What is there before, one import after the other; the last one is the one that is killed. */
  readonly places: readonly string[];
}

async function killedAnywhere({ reader, places }: Story): Promise<number> {
  const begun = async () => {
    const store = openMemoryStore();
    for (const place of places.slice(0, -1)) await take(store, reader, place);
    return store;
  };
  const last = places.at(-1) as string;
  const undisturbed = await begun();
  const living = new Dying(undisturbed, Infinity);
  await take(living.store, reader, last);
  const isOurs = reader === bundles;
  const whole = await contentOf(undisturbed, isOurs);
  for (let writes = 0; ; writes += 1) {
    const store = await begun();
    const dying = new Dying(store, writes);
    await take(dying.store, reader, last).catch(() => undefined);
    await dying.bury();
    const again = new Dying(store, Infinity);
    await take(again.store, reader, last);
    expect(await contentOf(store, isOurs), `killed at write ${writes}`).toEqual(whole);
    expect(new Set([...dying.packed, ...again.packed])).toEqual(new Set(living.packed));
    if (!dying.isDead) return writes;
  }
}

async function bundleAt(name: string, store: Store, id: SessionRecord["id"]): Promise<string> {
  const place = path.join(scratch, name);
  fs.mkdirSync(path.dirname(place), { recursive: true });
  let all = "";
  for await (const piece of await exportSession(new SessionRegistry({ store }), id, { format: "bundle" }))
    all += piece;
  fs.writeFileSync(place, all);
  return place;
}

const long = () => say("long ".repeat(150_000));

describe("an import that is killed at any write, and run again, leaves what an undisturbed one does", () => {
  it("of a bundle", async () => {
    const there = openMemoryStore();
    const { id } = await written(there, [...talk(), long(), long(), entry("rewind", { toSeq: 16 }), end()]);
    const place = await bundleAt("new.acpbundle", there, id);
    expect(await killedAnywhere({ reader: bundles, places: [place] })).toBeGreaterThan(4);
  });

  it("of a bundle that has gone on: rewinds, names and choices come with the entries", async () => {
    const there = openMemoryStore();
    const registry = new SessionRegistry({ store: there });
    const { id } = await written(there, talk());
    const before = await bundleAt("before.acpbundle", there, id);
    const { journal } = await registry.open(id);
    await journal.seal([prompt("more"), long(), end(), prompt("and more"), long(), long(), end()]);
    await journal.release();
    await registry.rewind(id, 16);
    await registry.rename(id, "Called anew");
    await registry.update(id, ({ settings }) => ({ settings: { ...settings, modeId: "plan" } }));
    const after = await bundleAt("after.acpbundle", there, id);
    expect(await killedAnywhere({ reader: bundles, places: [before, after] })).toBeGreaterThan(4);
  });

  it("of a family of bundles, one of them archived", async () => {
    const there = openMemoryStore();
    const registry = new SessionRegistry({ store: there });
    const { id } = await written(there, talk());
    const fork = await registry.fork(id, 16);
    await bundleAt("family/a.acpbundle", there, id);
    await registry.archive(fork.id);
    const place = path.dirname(await bundleAt("family/b.acpbundle", there, fork.id));
    expect(await killedAnywhere({ reader: bundles, places: [place] })).toBeGreaterThan(6);
  });

  it("of another agent's history, new and grown, with what was said anew", async () => {
    const more = [
      assistant("a7", "r2", "m5", [text("x".repeat(600_000))]),
      user("u3", "a4", "dig elsewhere"),
      assistant("a8", "u3", "m6", [text("y".repeat(600_000))]),
      user("u4", "a8", "water it"),
    ];
    const first = path.join(scratch, "claude-1");
    const second = path.join(scratch, "claude-2");
    claudeFolder(first, plainTurns);
    claudeFolder(second, [...plainTurns, ...more]);
    expect(await killedAnywhere({ reader: claude, places: [second] })).toBeGreaterThan(4);
    expect(await killedAnywhere({ reader: claude, places: [first, second] })).toBeGreaterThan(3);
  });

  it("of another agent's history that was changed there: the one before is in the trash", async () => {
    const [first, second] = ["changed-1", "changed-2"].map((name) => path.join(scratch, name));
    claudeFolder(first as string, plainTurns);
    claudeFolder(second as string, [user("u1", null, "plant a pear tree"), ...plainTurns.slice(1)]);
    const places = [first as string, second as string];
    expect(await killedAnywhere({ reader: claude, places })).toBeGreaterThan(4);
  });
});
