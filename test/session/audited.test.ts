/** What a registry records of what is done through it, and what it does not do where that cannot be. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { openAudit } from "../../src/audit/open.ts";
import type { Audit } from "../../src/audit/audit.ts";
import { SidecarError } from "../../src/base/errors.ts";
import { newSessionId } from "../../src/base/ids.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { Entry, NewEntry } from "../../src/store/contract.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { auditFolder, openLog, recordsIn } from "../audit/rig.ts";
import { aHolder } from "../conformance/samples.ts";

const folder = auditFolder();
let count = 0;
const newFile = () => path.join(folder, `${(count += 1)}.jsonl`);

const said = (kind: Entry["kind"], data: object): NewEntry => ({ kind, atMs: 1, data: JSON.stringify(data) });
const turn = [
  said("prompt", { prompt: [{ type: "text", text: "the-words" }] }),
  said("end", { result: { stopReason: "end_turn" } }),
];

function told(file: string, id: string): string[] {
  return recordsIn(file).map(({ what, session, outcome, code, facts }) =>
    [
      String(what).replace(/^session\./, ""),
      session === id ? "it" : "",
      outcome === "done" ? "" : outcome,
      code,
    ]
      .concat(facts === undefined ? [] : JSON.stringify(facts))
      .filter((each) => each !== "" && each !== undefined)
      .join(" "),
  );
}

describe("a registry with an audit log", () => {
  it("records what is done to sessions, and nothing of what is only looked at", async () => {
    const file = newFile();
    const audit = openAudit({ auditFile: file, identity: "ann" });
    const registry = new SessionRegistry({ store: openMemoryStore(), audit });
    const { id } = await registry.create({ cwd: folder, title: "the-words" });
    const { journal } = await registry.open(id);
    await journal.append(turn);
    await journal.seal([]);
    await journal.release();
    await registry.list();
    await registry.get(id);
    await (await registry.open(id)).journal.release();
    await registry.rename(id, "the-words");
    await registry.move(id, path.join(folder, "the-words"));
    await registry.rewind(id, 0);
    await registry.archive(id);
    await registry.unarchive(id);
    const fork = await registry.fork(id);
    await registry.remove(id);
    await registry.trash.restore(id);
    expect(await registry.delete(newSessionId())).toBe(false);
    await expect(registry.rename(fork.id, "")).rejects.toThrow("title");
    await registry.end(fork.id);
    await expect(registry.get(fork.id)).rejects.toThrow("No session");
    await registry.compact(id).catch(() => undefined);
    await registry.expire({ idleForMs: -10_000 });
    await registry.trash.empty({ forMs: -1 });
    await audit.close();
    expect(told(file, id)).toEqual([
      "create it",
      "open it",
      "rename it",
      "move it",
      'rewind it {"toSeq":0}',
      "archive it",
      "unarchive it",
      `fork {"parent":"${id}"}`,
      "trash it",
      "restore it",
      "delete refused SESSION_NOT_FOUND",
      "rename refused INVALID_PARAMS",
      "delete",
      "access.refuse refused SESSION_NOT_FOUND",
      "compact it",
      "expire it",
      'delete it {"fromTrash":true}',
    ]);
    expect(fs.readFileSync(file, "utf8")).not.toContain("the-words");
    expect(recordsIn(file).every(({ who, via }) => who === "ann" && via === "library")).toBe(true);
  });

  it("records who was taken over, and that a session is opened from another place than before", async () => {
    const store = openMemoryStore();
    const [first, second] = [newFile(), newFile()];
    const [there, here] = [openLog(first, { place: "bob@there" }), openLog(second, { place: "ann@here" })];
    const { id } = await new SessionRegistry({ store, audit: there }).create({
      cwd: folder,
      metadata: { mine: 1 },
    });
    const registry = new SessionRegistry({ store, audit: here });
    const elsewhere = { ...aHolder(), host: "there/boot/space" };
    await store.acquire(id, { holder: elsewhere, ttlMs: 60_000, mayTake: () => true });
    const { journal, record } = await registry.open(id);
    expect(record.metadata).toEqual({ mine: 1, "acp-sidecar.place": "ann@here" });
    await journal.release();
    await (await registry.open(id)).journal.release();
    // For a moment only: who had it has lost it all the same, but for a new title.
    for (const act of [() => registry.move(id, folder), () => registry.rename(id, "x")]) {
      await store.acquire(id, { holder: elsewhere, ttlMs: 60_000, mayTake: () => true });
      await act();
    }
    await Promise.all([there.close(), here.close()]);
    expect(told(second, id)).toEqual([
      `takeover it {"from":"process ${elsewhere.pid} on there"}`,
      'newPlace it {"before":"bob@there","now":"ann@here"}',
      "open it",
      `takeover it {"from":"process ${elsewhere.pid} on there","briefly":true}`,
      "move it",
      "rename it",
    ]);
    // Who writes other metadata keeps it; it is no metadata of the caller's to lose.
    const { metadata } = await registry.update(id, () => ({ metadata: { other: 2 } }));
    expect(metadata).toEqual({ other: 2, "acp-sidecar.place": "ann@here" });
  });

  it("that must record everything does nothing that it cannot record", async () => {
    const blocked = path.join(folder, "blocked");
    fs.writeFileSync(blocked, "");
    const audit = openAudit({ audit: "required", auditFile: path.join(blocked, "a.jsonl") });
    const store = openMemoryStore();
    const { id } = await new SessionRegistry({ store }).create({ cwd: folder });
    const registry = new SessionRegistry({ store, audit });
    const refused = [
      () => registry.create({ cwd: folder }),
      () => registry.fork(id),
      () => registry.open(id),
      () => registry.rename(id, "x"),
      () => registry.archive(id),
      () => registry.move(id, folder),
      () => registry.rewind(id, 0),
      () => registry.compact(id),
      () => registry.remove(id),
      () => registry.delete(id),
      () => registry.clear(),
      () => registry.expire({ idleForMs: -10_000 }),
    ];
    for (const act of refused) await expect(act()).rejects.toMatchObject({ code: "AUDIT_FAILED" });
    expect(await store.count()).toBe(1);
    expect(await registry.get(id)).toMatchObject({ id, headSeq: 0 });
    expect((await registry.get(id)).lease).toBeUndefined();
    await audit.close();
  });

  it("takes callers without types as it does without one", async () => {
    const audit = openLog(newFile());
    const registry = new SessionRegistry({ store: openMemoryStore(), audit });
    for (const init of [undefined, null, 7])
      await expect(registry.create(init as never)).rejects.toMatchObject({ code: "INVALID_PARAMS" });
    await expect(registry.open(7 as never)).rejects.toThrow();
    await audit.close();
  });
});

it("a registry without one is left as it is", () => {
  const registry = new SessionRegistry({ store: openMemoryStore() });
  const own = ["create", "open", "rename", "get"].filter((name) => Object.hasOwn(registry, name));
  expect(own).toEqual([]);
});

it("an audit of one's own is asked before and told after", async () => {
  const heard: string[] = [];
  const refusing: Audit = {
    place: "x",
    showsTitles: true,
    note: ({ what }) => void heard.push(what),
    noted: async () => undefined,
    noteRefused: () => undefined,
    whole: (_, pieces) => pieces,
    close: async () => undefined,
    around: async ({ what }, act) => {
      heard.push(what);
      if (what === "session.rename") throw new SidecarError("AUDIT_FAILED", "not today");
      return act();
    },
  };
  const registry = new SessionRegistry({ store: openMemoryStore(), audit: refusing });
  const { id } = await registry.create({ cwd: folder });
  await expect(registry.rename(id, "x")).rejects.toThrow("not today");
  expect(heard).toEqual(["session.create", "session.rename"]);
});
