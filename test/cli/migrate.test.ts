import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { withPlaces } from "../../src/base/store-url.ts";
import { openStore } from "../../src/store/open.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { cli, scratchFolder } from "./harness.ts";

const folder = scratchFolder();

async function storeWithSessions(name: string, count: number): Promise<string> {
  const url = `sqlite:${path.join(folder, name)}`;
  await withStore(url, async (sessions) => {
    for (let n = 0; n < count; n += 1) {
      const { id } = await sessions.create({ cwd: "/tmp" });
      await sessions.addMessage(id, { role: "user", content: `message ${n}` });
    }
  });
  return url;
}

async function withStore(url: string, act: (sessions: SessionRegistry) => Promise<unknown>): Promise<void> {
  const store = await openStore(url);
  try {
    await act(new SessionRegistry({ store }));
  } finally {
    await store.close();
  }
}

describe("a copy of a store onto itself", () => {
  const place = fs.mkdtempSync(path.join(fs.realpathSync(folder), "itself-"));
  const at = (...names: string[]) => path.join(place, ...names);
  const namesIn = (name: string) => fs.readdirSync(at(name), { recursive: name === "f", encoding: "utf8" });
  const stateOf = () =>
    [...namesIn("."), ...namesIn("f").map((name) => path.join("f", name))]
      .sort()
      .map((name) => [name, fs.statSync(at(name)).isFile() ? fs.readFileSync(at(name), "base64") : ""]);

  it.each([
    [
      "sqlite:s.db",
      "s.db",
      "./s.db",
      "sub/../s.db",
      "link.db",
      "hard.db",
      "folder/s.db",
      "s.db-wal",
      "s.db-journal",
    ],
    ["sqlite:link.db", "s.db", "hard.db"],
    ["file:f", "f", "./f/", "folder/f", "flink", "f/sessions", "f/sessions/0", "f/new", "."],
    ["file:flink", "f", "flink/tmp/new"],
    ['layered:["cache:","sqlite:s.db"]', "s.db"],
  ])("is refused in one line, and nothing is written: %s", async (from, ...others) => {
    fs.mkdirSync(at("sub"), { recursive: true });
    for (const url of [`sqlite:${at("s.db")}`, `file:${at("f")}`])
      await withStore(url, (all) => all.create({ cwd: "/tmp" }));
    for (const [name, target] of [
      ["link.db", "s.db"],
      ["flink", "f"],
      ["folder", "."],
    ] as const)
      if (!fs.existsSync(at(name))) fs.symlinkSync(target, at(name));
    if (!fs.existsSync(at("hard.db"))) fs.linkSync(at("s.db"), at("hard.db"));
    const scheme = from.startsWith("file") ? "file" : "sqlite";
    const store = withPlaces(from, (name) => at(name));
    const before = stateOf();
    for (const other of others) {
      const to = `${scheme}:${place}/${other}`;
      for (const args of [
        ["backup", "--to", to, "--store", store],
        ["migrate", "--from", store, "--to", to],
        ["restore", "--from", store, "--store", to],
      ]) {
        const { status, err } = await cli(args);
        expect([other, args[0], status], err).toEqual([other, args[0], 2]);
        expect(err).toMatch(
          /^acp-sidecar: (?:Both URLs name the same store|One of the two stores would lie within the other)[^\n]*\n$/,
        );
      }
    }
    expect(stateOf()).toEqual(before);
  });
});

describe("backup, restore, migrate and verify", () => {
  it("carry sessions from store to store and back, and find them sound", async () => {
    const store = await storeWithSessions("a.db", 2);
    // One in which nothing was said yet is a session, too.
    await withStore(store, (sessions) => sessions.create({ cwd: "/tmp" }));
    const backup = `file:${path.join(folder, "backup")}`;
    const first = await cli(["backup", "--to", backup, "--store", store, "--json"]);
    expect(JSON.parse(first.out)).toEqual({ copied: 3, skipped: 0, entries: 2 });
    const again = await cli(["backup", "--to", backup, "--store", store, "--json"]);
    expect(JSON.parse(again.out)).toEqual({ copied: 0, skipped: 3, entries: 0 });

    const restored = `sqlite:${path.join(folder, "b.db")}`;
    expect(await cli(["restore", "--from", backup, "--store", restored])).toMatchObject({ status: 0 });
    const verified = await cli(["verify", "--store", restored, "--json"]);
    expect(verified.status).toBe(0);
    expect(JSON.parse(verified.out)).toMatchObject({ sessions: 3, trashed: 0, entries: 2, damages: [] });

    const moved = `sqlite:${path.join(folder, "c.db")}`;
    const { out } = await cli(["migrate", "--from", restored, "--to", moved]);
    expect(out).toMatch(/3 sessions copied, 0 there already/);
  });

  it("repair a damaged file store, and name what was set aside", async () => {
    const folderOf = path.join(folder, "damaged-store");
    const store = `file:${folderOf}`;
    const from = await storeWithSessions("d.db", 2);
    await cli(["migrate", "--from", from, "--to", store]);
    const journal =
      fs
        .readdirSync(folderOf, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".jsonl"))
        .map((name) => path.join(folderOf, name))[0] ?? "";
    const text = fs.readFileSync(journal, "utf8");
    fs.writeFileSync(journal, text.replace("message", "massage"));
    expect((await cli(["verify", "--store", store])).status).toBe(5);
    const { status, out } = await cli(["verify", "--repair", "--store", store]);
    expect(out).toMatch(/1 damaged session repaired\n[^]* {2}as it was found: /);
    expect(status).toBe(0);
    expect((await cli(["verify", "--repair", "--store", "memory:"])).err).toMatch(
      /cannot be repaired in place/,
    );
  });

  it("copy a SQLite store in one piece into a file that is not there yet, then what is new", async () => {
    const store = await storeWithSessions("e.db", 2);
    const file = path.join(folder, "e-backup.db");
    const { out } = await cli(["backup", "--to", `sqlite:${file}`, "--store", store]);
    expect(out).toMatch(/^2 sessions copied, [\d.]+ KiB\n$/);
    const again = await cli(["backup", "--to", `sqlite:${file}`, "--store", store, "--json"]);
    expect(JSON.parse(again.out)).toEqual({ copied: 0, skipped: 2, entries: 0 });
    const restored = `sqlite:${path.join(folder, "e-restored.db")}`;
    const whole = await cli(["restore", "--from", `sqlite:${file}`, "--store", restored, "--json"]);
    expect(JSON.parse(whole.out)).toMatchObject({ copied: 2, skipped: 0, entries: 2 });
    expect((await cli(["verify", "--store", restored])).status).toBe(0);
  });

  it("name what a cut SQLite store has lost, and repair it", async () => {
    const store = await storeWithSessions("f.db", 40);
    const file = path.join(folder, "f.db");
    fs.truncateSync(file, fs.statSync(file).size - 4096);
    const verified = await cli(["verify", "--store", store]);
    expect([verified.status, verified.err]).toEqual([5, ""]);
    expect(verified.out).toMatch(/^[0-7][0-9A-Z]{25} .*f\.db: /m);
    expect(verified.out).toMatch(/acp-sidecar verify --repair keeps all that is sound\n$/);
    const repaired = await cli(["verify", "--repair", "--store", store, "--json"]);
    expect(repaired.status).toBe(0);
    const { damages, repaired: repair } = JSON.parse(repaired.out) as {
      damages: unknown[];
      repaired: { damage: { sessionId?: string }[]; setAside: string[] };
    };
    expect(damages).toEqual([]);
    expect(repair.damage.some(({ sessionId }) => sessionId !== undefined)).toBe(true);
    expect(fs.existsSync(path.join(repair.setAside[0] ?? "", "report.json"))).toBe(true);
  });

  it("say what is missing in one line", async () => {
    const { status, err } = await cli(["migrate", "--from", "memory:"]);
    expect(status).toBe(2);
    expect(err.trim().split("\n")).toHaveLength(1);
    expect(err).toContain("--to URL");
    expect((await cli(["backup", "--to", "memory:", "--store", "memory:"])).status).toBe(2);
  });

  it("end with status 5 on a store that cannot be opened, and change nothing", async () => {
    const file = path.join(folder, "not-a-database.db");
    fs.writeFileSync(file, "plain text".repeat(500));
    const { status, err } = await cli(["verify", "--store", `sqlite:${file}`]);
    expect([status, err.trim().split("\n").length]).toEqual([5, 1]);
    expect(fs.readFileSync(file, "utf8")).toBe("plain text".repeat(500));
  });
});
