import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { claudeFolder, plainTurns, user } from "../history/import/claude-files.ts";
import { binary, cli, scratchFolder } from "./harness.ts";

let home: string;
let store: string;
const scratch = scratchFolder();
let runs = 0;

beforeEach(() => {
  home = path.join(scratch, `home-${(runs += 1)}`);
  store = `sqlite:${path.join(home, "sessions.db")}`;
  fs.mkdirSync(home);
});

const run = (...argv: string[]) => cli([...argv, "--store", store], { env: { HOME: home } });

interface Printed {
  readonly counts: { readonly sessions: Readonly<Record<string, number>>; readonly problems: number };
  readonly sessions: readonly { readonly id?: string; readonly what: string }[];
}
const printed = ({ out }: { readonly out: string }) => JSON.parse(out) as Printed;

describe("import", () => {
  it("brings in a history, and does nothing the second time", async () => {
    claudeFolder(home, plainTurns);
    const first = await run("import", "claude");
    expect(first).toMatchObject({ status: 0, err: "" });
    expect(first.out).toContain("1 session imported");
    const again = await run("import", "claude");
    expect(again).toMatchObject({ status: 0, err: "" });
    expect(again.out).toContain("0 sessions imported, 1 there already");
    const listed = await run("sessions", "ls", "--json");
    expect(JSON.parse(listed.out)).toMatchObject({ total: 1 });
  });

  it("shows an imported session like any other", async () => {
    claudeFolder(home, plainTurns);
    const { sessions } = printed(await run("import", "claude", "--json"));
    const shown = await run("sessions", "show", sessions[0]?.id ?? "");
    expect(shown.out).toContain("plant an apple tree");
    expect(shown.out).toContain("I look. ");
    expect(shown.out).toContain("There is a spade.");
    expect(shown.out).toContain("2026-03-01");
    expect(shown.out).toContain("Claude Agent");
    expect(shown.out).toMatch(/imported from: +claude 0f8b2f6e/);
    expect(shown.out).not.toContain("acp-sidecar.import");
  });

  it("says what would be imported, and writes nothing", async () => {
    claudeFolder(home, plainTurns);
    const { status, out } = await run("import", "claude", "--dry-run");
    expect(status).toBe(0);
    expect(out).toContain("1 session would be imported");
    const { counts } = printed(await run("import", "claude", "--json"));
    expect(counts.sessions["imported"]).toBe(1);
  });

  it("names what cannot be read by its line, and imports the rest", async () => {
    const file = claudeFolder(home, [plainTurns[0], "{broken", "[1]", ...plainTurns.slice(1)]);
    const { status, out, err } = await run("import", "claude");
    expect(status).toBe(5);
    expect(err).toContain(`${file}:2: is no JSON\n`);
    expect(err).toContain(`${file}:3: is no JSON object\n`);
    expect(out).toContain("1 session imported");
    expect(out).toContain("2 places could not be read");
  });

  it("takes NUL bytes, steering names and folders that are not there, and shows none of it as it came", async () => {
    const steering = "a\u001b]0;title\u0007\u0000\u009b31m b";
    const hostile = (cwd: string) => [
      { type: "custom-title", customTitle: steering },
      user("u1", null, steering, { cwd }),
      "\0\0\0{broken",
    ];
    const folder = path.dirname(claudeFolder(home, hostile("/not/there\0")));
    const named = path.join(folder, "steering\u001b[31m.jsonl");
    fs.copyFileSync(path.join(folder, "0f8b2f6e-1111-4222-8333-444455556666.jsonl"), named);
    claudeFolder(home, hostile("relative/folder"), "1f8b2f6e-1111-4222-8333-444455556666");
    claudeFolder(home, hostile("/home/nobody/here"), "2f8b2f6e-1111-4222-8333-444455556666");
    const { status, out, err } = await run("import", "claude");
    expect([status, out]).toEqual([5, expect.stringContaining("4 sessions imported")]);
    const listed = await run("sessions", "ls", "--jsonl");
    const records = listed.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { cwd: string; title: string });
    expect(records.map(({ cwd }) => cwd).sort()).toEqual(["/", "/", "/", "/home/nobody/here"]);
    expect(new Set(records.map(({ title }) => title))).toEqual(new Set(["a ]0;title 31m b"]));
    const shown = await run("sessions", "show", "last");

    for (const text of [out, err, shown.out]) expect(text).not.toMatch(/[\0\u001b\u0007\u009b]/);
  });

  it("brings in only what was written to since, and names a --since that is none", async () => {
    const old = claudeFolder(home, plainTurns);
    fs.utimesSync(old, 1000, 1000);
    claudeFolder(home, [user("n1", null, "new")], "1f8b2f6e-1111-4222-8333-444455556666");
    expect((await run("import", "claude", "--since", "2d")).out).toContain("1 session imported");
    expect((await run("import", "claude", "--since", "when")).status).toBe(2);
    expect((await run("import", "claude")).out).toContain("1 session imported, 1 there already");
  });

  it("leaves a line that is being written for the next time", async () => {
    const file = claudeFolder(home, plainTurns.slice(0, -1));
    fs.appendFileSync(file, JSON.stringify(plainTurns.at(-1)).slice(0, 30));
    const first = await run("import", "claude");
    expect(first.status).toBe(0);
    expect(first.err).toContain("is not complete yet");
    fs.truncateSync(file, fs.statSync(file).size - 30);
    fs.appendFileSync(file, `${JSON.stringify(plainTurns.at(-1))}\n`);
    expect((await run("import", "claude")).out).toContain("1 continued");
  });

  it("takes only what was written to since a time", async () => {
    const file = claudeFolder(home, plainTurns);
    fs.utimesSync(file, new Date("2026-01-01"), new Date("2026-01-01"));
    expect((await run("import", "claude", "--since", "1d")).out).toContain("0 sessions imported");
  });

  it("refuses what is no history, and a place that is not there", async () => {
    const nothing = path.join(home, "nothing");
    expect(await run("import", "cobol")).toMatchObject({ status: 2 });
    expect((await run("import", "claude", nothing)).err).toContain("is not there");
    // Whoever has no such agent has no history of it.
    expect(await run("import", "claude")).toMatchObject({ status: 0 });
  });

  it("goes on with a session that has grown", async () => {
    const file = claudeFolder(home, plainTurns);
    const { sessions } = printed(await run("import", "claude", "--json"));
    const id = sessions[0]?.id ?? "";
    fs.appendFileSync(file, `${JSON.stringify(user("u3", "a6", "water it"))}\n`);
    expect(printed(await run("import", "claude", "--json")).sessions).toMatchObject([
      { what: "continued", id },
    ]);
    expect((await run("sessions", "show", id)).out).toContain("water it");
  });

  it("keeps up with what is written, and ends in order with Ctrl-C", { timeout: 30_000 }, async () => {
    const file = claudeFolder(home, plainTurns);
    fs.utimesSync(file, new Date("2026-03-01"), new Date("2026-03-01"));
    const argv = [binary, "import", "claude", "--watch", "--store", store];
    const child = spawn(process.execPath, argv, { env: { PATH: process.env["PATH"], HOME: home } });
    let [out, err] = ["", ""];
    child.stderr.on("data", (data) => (err += String(data)));
    child.stdout.on("data", (data) => {
      out += String(data);
      // A second one would end it at once.
      if (out.includes("imported ") && !child.killed) child.kill("SIGINT");
    });
    expect(await once(child, "close")).toEqual([0, null]);
    expect(out).toContain("1 session imported");
    expect(err).not.toContain("interrupted");
    expect(await run("import", "claude", "--watch", "--dry-run")).toMatchObject({ status: 2 });
  });
});
