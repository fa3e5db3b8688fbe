/** What commands do where no store is yet: those that look make none, whether its place was typed or not. */
import fs from "node:fs";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { surroundings, defaultStoreUrl } from "../../src/config/paths.ts";
import { newSessionId } from "../../src/base/ids.ts";
import { openStore } from "../../src/store/open.ts";
import { cli, scratchFolder } from "./harness.ts";

const scratch = scratchFolder();
let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(scratch, "case-"));
});

const session = newSessionId();
const looks: readonly (readonly string[])[] = [
  ["sessions", "ls"],
  ["sessions", "show", session],
  ["sessions", "stats"],
  ["sessions", "restore", "--all"],
  ["sessions", "rm", session, "--yes"],
  ["sessions", "gc", "--older-than", "1d", "--yes"],
  ["verify"],
  ["verify", "--repair"],
];

function withWords(args: readonly string[], words: Readonly<Record<string, string>>): string[] {
  return args.map((word) => words[word] ?? word);
}

describe("a command that looks at a store or takes from it", () => {
  it.each([
    ...looks.map((args) => [...args, "--store", "$typo"]),
    ["backup", "--store", "$typo", "--to", "$to"],
    ["restore", "--from", "$typo", "--store", "$to"],
    ["migrate", "--from", "$typo", "--to", "$to"],
  ])("makes no store where none is, and says where it looked: %s %s %s %s %s", async (...args) => {
    const typo = path.join(folder, "no-such", "sessions.db");
    const to = `file:${path.join(folder, "to")}`;
    const { status, out, err } = await cli(withWords(args, { $typo: `sqlite:${typo}`, $to: to }));
    expect([status, out]).toEqual([5, ""]);
    expect(err).toBe(`acp-sidecar: There is no store at sqlite:${typo}; check its place\n`);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("takes no directory for a file store that has none in it", async () => {
    fs.writeFileSync(path.join(folder, "notes"), "");
    const { status, err } = await cli(["sessions", "ls", "--store", `file:${folder}`]);
    expect([status, fs.readdirSync(folder)]).toEqual([5, ["notes"]]);
    expect(err).toContain(folder);
  });

  it("opens a file store that has lost its format.json: its sessions are there", async () => {
    const store = `file:${folder}`;
    await (await openStore(store)).close();
    fs.rmSync(path.join(folder, "format.json"));
    expect(await cli(["sessions", "ls", "--store", store])).toMatchObject({ status: 0, err: "" });
  });

  it("wants the last layer to be there; the others may begin empty", async () => {
    const [first, last] = [`file:${path.join(folder, "first")}`, `sqlite:${path.join(folder, "last.db")}`];
    const store = `layered:${JSON.stringify([first, last])}`;
    const { status, err } = await cli(["sessions", "ls", "--store", store]);
    expect([status, fs.readdirSync(folder)]).toEqual([5, []]);
    expect(err).toContain(`Layer 2 of the store: There is no store at ${last}`);
    await (await openStore(last)).close();
    expect(await cli(["sessions", "ls", "--store", store])).toMatchObject({ status: 0, err: "" });
  });

  it.each(["environment", "configuration file"])("refuses a place from the %s likewise", async (origin) => {
    const store = `file:${path.join(folder, "no-such")}`;
    const config = path.join(folder, "config.json");
    fs.writeFileSync(config, JSON.stringify({ store }));
    const env = origin === "environment" ? { ACP_SIDECAR_STORE: store } : { ACP_SIDECAR_CONFIG: config };
    const { status, err } = await cli(["verify"], { env });
    expect([status, fs.readdirSync(folder)]).toEqual([5, ["config.json"]]);
    expect(err).toContain(store);
  });

  it("tells a place that cannot be looked at from one where nothing is", async () => {
    const link = path.join(folder, "link");
    fs.symlinkSync(link, link);
    const { status, err } = await cli(["sessions", "ls", "--store", `sqlite:${link}/sessions.db`]);
    expect(status).toBe(5);
    expect(err).toContain("ELOOP");
  });
});

// Elsewhere the default lies where no variable leads.
describe.skipIf(process.platform === "darwin" || process.platform === "win32")("on a fresh machine", () => {
  const env = () => ({ XDG_DATA_HOME: folder });

  it.each([
    [0, "No sessions.\n", ["sessions", "ls"]],
    [4, "", ["sessions", "show", session]],
    [4, "", ["sessions", "rm", session, "--yes"]],
    [0, "No session went\n", ["sessions", "gc", "--older-than", "1d", "--yes"]],
    [0, "0 sessions, 0 entries read: 0 damaged places\n", ["verify"]],
    [0, "0 sessions, 0 entries read: 0 damaged places\n", ["verify", "--repair"]],
  ])("the default store has no sessions and is not made: status %i, %j, %j", async (status, out, args) => {
    expect(await cli(args, { env: env() })).toMatchObject({ status, out });
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("stats counts nothing, under the default store's own name, and vouches for nothing", async () => {
    const { status, out } = await cli(["sessions", "stats", "--json"], { env: env() });
    const store = defaultStoreUrl(surroundings(env()));
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ store, sessions: 0, trashed: 0, entries: 0, bytes: 0 });
    expect(JSON.parse(out)).not.toHaveProperty("capabilities");
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("there is nothing to back up", async () => {
    const to = path.join(folder, "backup");
    expect(await cli(["backup", "--to", `file:${to}`], { env: env() })).toMatchObject({ status: 5 });
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});
