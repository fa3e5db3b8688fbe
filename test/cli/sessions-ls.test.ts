import fs from "node:fs";
import path from "node:path";
import stringWidth from "string-width";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newSessionId, type SessionId } from "../../src/base/ids.ts";
import { hiddenAs } from "../../src/session/hidden.ts";
import { emptySession } from "../../src/session/registry-options.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { Holder, Store } from "../../src/store/contract.ts";
import { openStore } from "../../src/store/open.ts";
import { cli, hasTerminal, onTerminal, scratchFolder, type Ran } from "./harness.ts";

const folder = scratchFolder();
const url = `sqlite:${path.join(folder, "sessions.db")}`;
const project = path.join(folder, "project");
const holder: Holder = { host: "elsewhere/boot", pid: 4711, startedAt: "1" };
const minute = 60_000;
const day = 24 * 60 * minute;
let store: Store;
const ids: Record<string, SessionId> = {};

/** A session that was last active so long ago. */
async function made(name: string, agoMs: number, more: object): Promise<SessionId> {
  const atMs = Date.now() - agoMs;
  const id = newSessionId();
  await store.create({ ...emptySession, id, createdAtMs: atMs, updatedAtMs: atMs, cwd: "/other", ...more });
  return (ids[name] = id);
}

const ls = (...argv: string[]): Promise<Ran> =>
  cli(["ls", "--store", url, ...argv], { env: { HOME: folder } });
const idsIn = (out: string) => Object.entries(ids).flatMap(([name, id]) => (out.includes(id) ? [name] : []));

beforeAll(async () => {
  fs.mkdirSync(project);
  fs.symlinkSync(project, path.join(folder, "link"));
  store = await openStore(url);
  const agent = (name: string) => ({
    agent: { info: { name, title: `${name} agent` }, command: `/bin/${name}` },
  });
  await made("wide", 3 * minute, {
    title:
      "漢字の題名 👩‍👩‍👧 e\u0301te\u0301 — a title that is long enough to be cut where it ends, as it must be",
    cwd: path.join(project, "with", "a", "rather", "deep", "folder", "in", "it"),
    ...agent("opencode"),
  });
  await made("evil", 5 * 60 * minute, { title: "Told \u001b[31mred\u0007 \u202etitle\nnext", cwd: project });
  await made("old", 9 * day, { title: "Old one", agent: { command: "/usr/bin/codex-acp" } });
  const busy = await made("busy", 2 * day, { ...agent("gemini") });
  const held = await made("held", 2 * day + minute, {});
  const { lease } = await store.acquire(busy, { holder, ttlMs: minute, mayTake: () => false });
  await store.renew({ ...lease, turnRunning: true });
  await store.acquire(held, { holder, ttlMs: minute, mayTake: () => false });
  const registry = new SessionRegistry({ store, now: () => Date.now() - 9 * day });
  for (const content of ["one", "two"])
    await registry.addMessage(ids["old"] as SessionId, { role: "user", content });
  await registry.close();
});
afterAll(() => store.close());

describe("sessions ls", () => {
  it("lists for people: title, activity, folder, agent, turns, state and id, newest activity first", async () => {
    const { status, out } = await ls();
    expect(status).toBe(0);
    const [head, ...rows] = out.trimEnd().split("\n");
    expect(head).toMatch(/^TITLE +ACTIVE +FOLDER +AGENT +TURNS +STATE +ID$/);
    expect(rows).toHaveLength(5);
    expect(rows[0]).toMatch(/3m ago +~\/project\/with\/.*\/it +opencode agent +0 +idle/);
    expect(rows[1]).toMatch(/5h ago +~\/project  /);
    expect(rows[2]).toMatch(
      new RegExp(`^\\(no title\\) +2d ago +/other +gemini agent +0 +running +${ids["busy"]}$`),
    );
    expect(rows[3]).toMatch(/ open +/);
    expect(rows[4]).toMatch(/^Old one +9d ago +\/other +codex-acp +2 +idle/);
  });

  it("keeps from the terminal what it would obey", async () => {
    const { out } = await ls();
    expect(out).toContain("Told \\u001b[31mred\\u0007 \\u202etitle next");
    expect(out).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
  });

  it.each([20, 40, 60, 80, 120])(
    "fits a terminal of %i columns, wide characters counted",
    async (columns) => {
      const { out } = await cli(["ls", "--store", url, "--color", "never"], {
        columns,
        env: { HOME: folder },
      });
      for (const line of out.trimEnd().split("\n"))
        expect(stringWidth(line)).toBeLessThanOrEqual(Math.max(columns, 34));
      expect(out).toContain("漢字の");
      expect(out).toContain(String(ids["wide"]).slice(-8));
      if (columns >= 80)
        for (const part of ["~/project", "openco", "running", "2d ago"]) expect(out).toContain(part);
      // Whatever is cut, the columns stand under one another.
      const [head = "", ...rows] = out.trimEnd().split("\n");
      const at = stringWidth(head.slice(0, head.indexOf("ID")));
      for (const row of rows) expect(stringWidth(row.slice(0, row.length - 8))).toBe(at);
    },
  );

  it.each([
    [["--agent", "OPENCODE"], ["wide"]],
    [["--agent", "codex"], ["old"]],
    [
      ["--since", "1d"],
      ["wide", "evil"],
    ],
    [
      ["--since", "3d", "--until", "1h"],
      ["evil", "busy", "held"],
    ],
    [["--until", "7d"], ["old"]],
    [["--since", "2020-01-31", "--until", "2020-02-01 14:30"], []],
    [
      ["--cwd", "/other/"],
      ["old", "busy", "held"],
    ],
    [["--cwd", path.join(folder, "link")], ["evil"]],
    [["--state", "running"], ["busy"]],
    [["--state", "open"], ["held"]],
    [["--title", "ONE", "--state", "idle"], ["old"]],
  ])("with %j lists %j", async (argv, names) => {
    expect(idsIn((await ls(...argv)).out)).toEqual(names);
    const { sessions, total } = JSON.parse((await ls("--json", ...argv)).out) as {
      sessions: unknown[];
      total: number;
    };
    expect([sessions.length, total]).toEqual([names.length, names.length]);
  });

  it("takes . for the folder where it is called", async () => {
    const { shown } = hasTerminal
      ? onTerminal(`cd ${project} && $P ls --cwd . --json --store ${url}`)
      : { shown: "{}" };
    if (hasTerminal) expect(idsIn(shown)).toEqual(["evil"]);
  });

  it("limits, and says how many there are", async () => {
    expect((await ls("--limit", "1")).out).toContain("1 of 5; --limit 5 lists all");
    const filtered = (await ls("--limit", "1", "--cwd", "/other")).out;
    expect(filtered).toContain("1 of 3; --limit 3 lists all");
    expect(idsIn(filtered)).toEqual(["busy"]);
  });

  it("gives programs whole records: one document, or a line each", async () => {
    const { sessions, total } = JSON.parse((await ls("--json")).out) as {
      sessions: { id: string }[];
      total: number;
    };
    expect([sessions.length, total]).toEqual([5, 5]);
    expect(sessions[2]).toMatchObject({ id: ids["busy"], state: "running", lease: { holder } });
    const lines = (await ls("--jsonl", "--limit", "3")).out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(lines).toEqual(sessions.slice(0, 3));
    expect((await ls("--json", "--jsonl")).status).toBe(2);
  });

  it("shows and counts no record that is a session to nobody", async () => {
    const hidden = [hiddenAs("deleted"), hiddenAs("adopting")].map((metadata) =>
      made("hidden", 1, { metadata }),
    );
    const all = await Promise.all(hidden);
    delete ids["hidden"];
    expect(JSON.parse((await ls("--json", "--limit", "2")).out)).toMatchObject({
      total: 5,
      sessions: [{ id: ids["wide"] }, { id: ids["evil"] }],
    });
    await Promise.all(all.map((id) => store.delete(id)));
  });

  it("says when there is none, and what is no value of a filter", async () => {
    expect((await cli(["sessions", "ls", "--store", "memory:"])).out).toBe("No sessions.\n");
    expect((await ls("--since", "soon")).err).toMatch(
      /^acp-sidecar: --since is "soon"; allowed: a time ago like/,
    );
    expect((await ls("--since", "30")).status).toBe(2);
    expect((await ls("--state", "turn")).err).toMatch(/allowed: running, open, idle\n$/);
    expect((await ls("--color", "pink")).err).toMatch(/allowed: auto, always, never\n$/);
  });

  const escape = /\u001b\[/;
  it("is coloured when it is asked to be, and by itself only on a terminal that takes colours", async () => {
    const shown = async (columns: number | undefined, env: Record<string, string>, ...argv: string[]) =>
      escape.test(
        (await cli(["ls", "--store", url, ...argv], { env, ...(columns !== undefined && { columns }) })).out,
      );
    expect(await shown(undefined, {})).toBe(false);
    expect(await shown(80, {})).toBe(true);
    expect(await shown(80, { NO_COLOR: "1" })).toBe(false);
    expect(await shown(80, { TERM: "dumb" })).toBe(false);
    expect(await shown(undefined, { FORCE_COLOR: "1" })).toBe(true);
    expect(await shown(80, { FORCE_COLOR: "0" })).toBe(false);
    expect(await shown(undefined, { NO_COLOR: "1" }, "--color", "always")).toBe(true);
    expect(await shown(80, { FORCE_COLOR: "1" }, "--color", "never")).toBe(false);
  });

  // Without `script` there is no terminal to be had.
  it.skipIf(!hasTerminal)("fits a real terminal and is coloured there", () => {
    const { status, shown } = onTerminal(`$P ls --store ${url}`, { columns: 72 });
    expect(status).toBe(0);
    expect(shown).toMatch(escape);
    for (const line of shown.trimEnd().split("\n")) expect(stringWidth(line)).toBeLessThanOrEqual(72);
    expect(onTerminal(`$P ls --store ${url} | cat`).shown).not.toMatch(escape);
  });
});
