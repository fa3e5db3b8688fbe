/** What deletes: asked for, into the trash, and back out of it. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newSessionId, type SessionId } from "../../src/base/ids.ts";
import { thisHolder } from "../../src/session/holder.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { Store } from "../../src/store/contract.ts";
import { openStore } from "../../src/store/open.ts";
import { aHolder } from "../conformance/samples.ts";
import { binary, cli, scratchFolder, type Ran } from "./harness.ts";

const folder = scratchFolder();
const dayMs = 86_400_000;
let stores = 0;
let url: string;
let store: Store;
let registry: SessionRegistry;
/** The last one first in lists; `old` was last in use ten days ago. */
let recent: SessionId;
let old: SessionId;

beforeEach(async () => {
  url = `sqlite:${path.join(folder, `${(stores += 1)}.db`)}`;
  store = await openStore(url);
  registry = new SessionRegistry({ store });
  ({ id: old } = await registry.create({ cwd: "/project", title: "Old one" }));
  await registry.addMessage(old, { role: "user", content: "hello" });
  await store.update(old, { updatedAtMs: Date.now() - 10 * dayMs });
  ({ id: recent } = await registry.create({ cwd: "/project", title: "Recent one" }));
});
afterEach(() => store.close());

const sessions = (...argv: string[]): Promise<Ran> => cli(["sessions", ...argv, "--store", url]);
const typing = (typed: string, ...argv: string[]): Promise<Ran> =>
  cli(["sessions", ...argv, "--store", url], { typed });
const listed = async () => (await registry.list()).items.map(({ id }) => id);
const trashed = async () => (await registry.trash.list()).map(({ record }) => record.id);

describe("off a terminal", () => {
  it.each([[["rm", "last"]], [["gc", "--older-than", "1d"]], [["gc", "--trash"]]])(
    "%j deletes nothing unless it is said that it is meant",
    async (argv) => {
      const { status, out, err } = await sessions(...argv);
      expect([status, out]).toEqual([2, ""]);
      expect(err).toMatch(
        /^acp-sidecar: sessions (rm|gc) deletes, and there is no terminal to ask on; allowed: --yes, [^\n]*\n$/,
      );
      expect(await listed()).toEqual([recent, old]);
    },
  );
});

describe("on a terminal", () => {
  it("rm asks, and takes nothing but a yes for one", async () => {
    for (const typed of ["n\n", "\n", "", "yess\n", "no, yes\n"]) {
      const ran = await typing(typed, "rm", old);
      expect(ran).toMatchObject({ status: 1, out: "" });
      expect(ran.err).toBe(`Delete ${old} "Old one"? It goes to the trash. [y/N] Nothing was deleted.\n`);
    }
    expect(await listed()).toEqual([recent, old]);
    const ran = await typing("YES\n", "rm", old);
    expect(ran).toMatchObject({
      status: 0,
      out: `Deleted ${old}\nacp-sidecar sessions restore brings back what is in the trash, for 30d\n`,
    });
    expect([await listed(), await trashed()]).toEqual([[recent], [old]]);
  });

  it("rm names who has a session open before it is deleted", async () => {
    await store.acquire(old, { holder: aHolder("editor"), ttlMs: 60_000, mayTake: () => false });
    const { err } = await typing("n\n", "rm", old, recent);
    expect(err).toContain(`${old} "Old one" (open: held by process `);
    expect(err).toContain(
      `\n${recent} "Recent one"\nDelete 2 sessions, 1 of them in use? They go to the trash. [y/N] `,
    );
  });

  it("gc says how many before it asks", async () => {
    const { err, status } = await typing("n\n", "gc", "--older-than", "1d");
    expect([status, err]).toEqual([1, "1 session will go to the trash. Go on? [y/N] Nothing was deleted.\n"]);
    expect(await typing("y\n", "gc", "--older-than", "1d")).toMatchObject({
      status: 0,
      out: "1 session went to the trash\n",
    });
    // Nothing is asked about nothing.
    expect(await typing("", "gc", "--older-than", "1d")).toMatchObject({
      status: 0,
      out: "No session went\n",
      err: "",
    });
    expect(await typing("y\n", "gc", "--trash")).toMatchObject({
      out: "1 session went for good\n",
      err: "1 session will go for good. Go on? [y/N] ",
    });
    expect(await store.count()).toBe(1);
  });
});

describe("--dry-run", () => {
  it("says what would go, and nothing goes", async () => {
    const rm = await sessions("rm", old, "last", recent, "--dry-run");
    expect(rm.out).toBe(`${old} "Old one"\n${recent} "Recent one"\n2 sessions would go to the trash\n`);
    const gc = await sessions("gc", "--older-than", "1d", "--dry-run");
    expect(gc.out).toMatch(new RegExp(`^${old} {2}\\S+ \\S+ {2}Old one\n1 session would go to the trash\n$`));
    await registry.remove(old);
    const trash = await sessions("gc", "--trash", "--dry-run", "--json");
    expect(JSON.parse(trash.out)).toEqual({ dryRun: true, trashed: [], deleted: [old], originals: 0 });
    expect([await listed(), await trashed()]).toEqual([[recent], [old]]);
  });

  it("tells a program what rm would delete", async () => {
    const { out, status } = await sessions("rm", old, "nowhere", "--dry-run", "--json");
    const failed = [expect.objectContaining({ session: "nowhere", code: "SESSION_NOT_FOUND" })];
    expect([status, JSON.parse(out)]).toEqual([4, { dryRun: true, trashed: [old], deleted: [], failed }]);
    expect(await listed()).toEqual([recent, old]);
  });

  it("leaves out what somebody holds", async () => {
    await store.acquire(old, { holder: aHolder("editor"), ttlMs: 60_000, mayTake: () => false });
    expect((await sessions("gc", "--older-than", "1d", "--dry-run")).out).toBe("No session would go\n");
    expect((await sessions("gc", "--older-than", "1d", "--yes")).out).toBe("No session went\n");
  });
});

describe("sessions gc", () => {
  it("wants an age, or a configured one, with its unit", async () => {
    expect(await sessions("gc", "--yes")).toMatchObject({ status: 2 });
    expect(await sessions("gc", "--older-than", "30", "--yes")).toMatchObject({ status: 2 });
    expect((await sessions("gc", "--retention", "1h", "--json", "--yes")).out).toBe(
      '{\n  "trashed": 1,\n  "deleted": 0,\n  "originals": 0,\n  "freedBytes": 0\n}\n',
    );
  });

  it("deletes for good what has been in the trash for its time, and at once where there is none", async () => {
    await registry.remove(old);
    const { metadata } = (await store.get(old)) ?? {};
    await store.update(old, {
      metadata: { ...metadata, "acp-sidecar.trashedAtMs": Date.now() - 31 * dayMs },
    });
    expect((await sessions("gc", "--older-than", "1d", "--yes")).out).toBe("1 session went for good\n");
    await store.update(recent, { updatedAtMs: 1 });
    const off = await cli(["sessions", "gc", "--older-than", "1d", "--yes", "--json", "--store", url], {
      env: { ACP_SIDECAR_TRASH: "off" },
    });
    expect(JSON.parse(off.out)).toEqual({ trashed: 0, deleted: 1, originals: 0, freedBytes: 0 });
    expect(await store.count()).toBe(0);
  });

  it("empties the trash, of what was deleted before a time if one is named", async () => {
    await registry.remove(old);
    expect((await sessions("gc", "--trash", "--older-than", "1h", "--yes")).out).toBe("No session went\n");
    expect((await sessions("gc", "--trash", "--older-than", "0", "--yes")).out).toBe(
      "1 session went for good\n",
    );
  });
});

describe("what is deleted for good", () => {
  const fill = () => registry.addMessage(old, { role: "user", content: "long ".repeat(800_000) });

  it("gives its room back, and says how much", async () => {
    await fill();
    await registry.remove(old);
    const { out } = await sessions("gc", "--trash", "--yes");
    expect(out).toMatch(/^1 session went for good, \d+\.\d MiB given back\n$/);
    expect((await store.stats()).bytes).toBeLessThan(1 << 20);
  });

  it("does so where there is no trash, too", async () => {
    await fill();
    const { out } = await sessions("rm", old, "--yes", "--trash", "off");
    expect(out).toMatch(/^Deleted \w+\n\d+\.\d MiB given back\n$/);
  });
});

describe("sessions rm", () => {
  it("refuses a session in a turn with status 3, unless forced", async () => {
    const { journal } = await registry.open(old, { holder: aHolder("editor") });
    journal.setTurnRunning(true);
    await journal.append([{ kind: "prompt", atMs: 1, data: '{"prompt":[]}' }]);
    expect(await sessions("rm", old, "--yes")).toMatchObject({ status: 3, out: "" });
    expect(await sessions("rm", old, "--yes", "--force")).toMatchObject({ status: 0 });
    const late = journal.append([{ kind: "prompt", atMs: 1, data: '{"prompt":[]}' }]);
    await expect(late).rejects.toMatchObject({ code: "LEASE_LOST" });
  });

  it("takes the session of a process that is dead", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    const dead = { ...thisHolder(), pid, startedAt: "before" };
    const { lease } = await store.acquire(old, { holder: dead, ttlMs: 60_000, mayTake: () => false });
    await store.renew({ ...lease, turnRunning: true });
    expect(await sessions("rm", old, "--yes")).toMatchObject({ status: 0 });
  });

  it("deletes what it can, each once, and has status 4 for what is not there", async () => {
    const ran = await sessions("rm", newSessionId(), old, old.slice(-8), "--yes");
    expect(ran).toMatchObject({ status: 4, out: expect.stringMatching(`^Deleted ${old}\n`) as string });
    expect(ran.err.trimEnd().split("\n")).toHaveLength(1);
  });

  it("deletes for good where the trash is switched off", async () => {
    expect(await sessions("rm", old, "--yes", "--trash", "off")).toMatchObject({ out: `Deleted ${old}\n` });
    expect(await store.get(old)).toBeUndefined();
    const { err } = await typing("n\n", "rm", recent, "--trash", "0");
    expect(err).toMatch(/\? It goes for good\. \[y\/N\] /);
  });

  it("leaves what a fork inherits", async () => {
    const fork = await registry.fork(old);
    await sessions("rm", old, "--yes", "--trash", "off");
    expect((await sessions("show", fork.id)).out).toContain("hello");
  });
});

describe("the trash", () => {
  beforeEach(async () => {
    await registry.remove(old);
    await store.update(recent, { updatedAtMs: 1 });
    await registry.remove(recent);
  });

  it("is listed with folders as other lists have them", async () => {
    const { id } = await registry.create({ cwd: path.join(folder, "project"), title: "At home" });
    await registry.remove(id);
    const { out } = await cli(["sessions", "ls", "--trash", "--store", url], { env: { HOME: folder } });
    expect(out).toMatch(/^At home .* ~\/project +/m);
  });

  it("is listed: what was deleted last comes first", async () => {
    const { out } = await sessions("ls", "--trash");
    const [head, ...rows] = out.trimEnd().split("\n");
    expect(head).toMatch(/^TITLE +DELETED +ACTIVE +FOLDER +ID$/);
    expect(rows.toSorted()).toEqual([
      expect.stringMatching(`^Old one +just now +10d ago +/project +${old}$`),
      expect.stringMatching(`^Recent one +just now +\\S+ +/project +${recent}$`),
    ]);
    expect((await sessions("ls", "--trash", "--limit", "1")).out).toMatch(/\n1 of 2; --limit 2 lists all\n$/);
    const json = JSON.parse((await sessions("ls", "--json", "--trash")).out) as { sessions: object[] };
    expect(json).toMatchObject({ total: 2 });
    expect(json.sessions).toContainEqual(
      expect.objectContaining({ id: old, title: "Old one", metadata: {} }),
    );
    expect((await sessions("ls", "--trash", "--jsonl")).out.trimEnd().split("\n")).toHaveLength(2);
    expect(await sessions("ls", "--trash", "--cwd", ".")).toMatchObject({ status: 2, out: "" });
    expect((await sessions("ls")).out).toBe("No sessions.\n");
    expect(JSON.parse((await sessions("stats", "--json")).out)).toMatchObject({ sessions: 0, trashed: 2 });
    expect((await sessions("stats")).out).toMatch(/^in the trash: 2$/m);
    expect((await cli(["verify", "--store", url])).out).toBe(
      "2 sessions (2 in the trash), 1 entry read: 0 damaged places\n" +
        "integrity: 1 session as when linked, 1 session not linked yet\n",
    );
  });

  it("gives back what is named, with what it held", async () => {
    expect(await sessions("restore", old.slice(-8))).toMatchObject({ status: 0, out: `Restored ${old}\n` });
    expect((await sessions("show", old)).out).toContain("hello");
    expect(await sessions("restore", "last")).toMatchObject({ out: `Restored ${recent}\n` });
    const again = await sessions("restore", old);
    expect(again).toMatchObject({ status: 4, out: "" });
    expect((await sessions("ls", "--trash")).out).toBe("The trash is empty.\n");
  });

  it("tells programs in one document what rm and restore did, and what they could not do", async () => {
    const back = await sessions("restore", old, "nowhere", "--json");
    const failed = [{ session: "nowhere", code: "SESSION_NOT_FOUND", message: expect.any(String) as string }];
    expect([back.status, JSON.parse(back.out)]).toEqual([4, { restored: [old], failed }]);
    expect(JSON.parse((await sessions("restore", "--all", "--json")).out)).toEqual({
      restored: [recent],
      failed: [],
    });
    const gone = await sessions("rm", old, "nowhere", "--yes", "--json");
    expect([gone.status, JSON.parse(gone.out)]).toEqual([
      4,
      { trashed: [old], deleted: [], freedBytes: 0, failed },
    ]);
    const none = await sessions("rm", "nowhere", "--yes", "--json");
    expect([none.status, JSON.parse(none.out)]).toMatchObject([4, { trashed: [], failed }]);
    const deleted = await sessions("rm", recent, "--yes", "--trash", "off", "--json");
    expect(JSON.parse(deleted.out)).toMatchObject({ trashed: [], deleted: [recent], failed: [] });
  });

  it("gives back all, or what was deleted since a time", async () => {
    expect((await sessions("restore", "--since", "1h")).out).toBe("Restored 2 sessions\n");
    expect(await sessions("rm", recent, "--yes")).toMatchObject({ status: 0 });
    expect((await sessions("restore", "--since", "2099-01-01")).out).toBe("Restored 0 sessions\n");
    expect((await sessions("restore", "--all")).out).toBe("Restored 1 session\n");
    for (const wrong of [[], ["--all", old]])
      expect(await sessions("restore", ...wrong)).toMatchObject({ status: 2, out: "" });
  });
});

describe("the program itself", () => {
  const command = [process.execPath, binary, "sessions", "rm"];
  const hasScript = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

  it("refuses where it cannot ask, and does what it is told", () => {
    const run = (...argv: string[]) =>
      spawnSync(process.execPath, [binary, "sessions", ...argv, "--store", url], {
        input: "y\n",
        encoding: "utf8",
      });
    expect(run("rm", old)).toMatchObject({ status: 2, stdout: "" });
    expect(run("rm", old, "--yes")).toMatchObject({ status: 0, stderr: "" });
    expect(run("restore", old)).toMatchObject({ status: 0, stdout: `Restored ${old}\n` });
  });

  // Without `script` there is no terminal to be had.
  it.runIf(hasScript).each(["y", "n"])("asks on a terminal, and hears %s", async (answer) => {
    const line = [...command, old, "--store", url].map((word) => `'${word}'`).join(" ");
    const { status, stdout } = spawnSync("script", ["-qec", line, "/dev/null"], {
      input: `${answer}\n`,
      encoding: "utf8",
    });
    expect(stdout).toContain(`Delete ${old} "Old one"? It goes to the trash. [y/N]`);
    expect(status).toBe(answer === "y" ? 0 : 1);
    expect(await trashed()).toEqual(answer === "y" ? [old] : []);
  });
});
