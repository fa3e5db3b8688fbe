/** What people did at a shell is recorded, shown and held against what was written. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import { cli, scratchFolder } from "./harness.ts";

const folder = scratchFolder();
let count = 0;

/** A store with a session in it, and the environment of a user who has an audit log. */
async function place(): Promise<{ env: Record<string, string>; id: string; file: string; state: string }> {
  count += 1;
  const state = path.join(folder, String(count));
  const url = `sqlite:${path.join(state, "s.db")}`;
  fs.mkdirSync(state, { recursive: true });
  const store = await openStore(url);
  const { id } = await new SessionRegistry({ store }).create({ cwd: folder, title: "one" });
  await store.close();
  return {
    env: { XDG_STATE_HOME: state, ACP_SIDECAR_STORE: url, ACP_SIDECAR_IDENTITY: "ann" },
    id,
    state,
    file: path.join(state, "acp-sidecar", "audit.jsonl"),
  };
}

async function shown(env: Record<string, string>, ...flags: string[]): Promise<Record<string, unknown>[]> {
  const show = async (form: string) => (await cli(["audit", "show", form, ...flags], { env })).out;
  const all = JSON.parse(await show("--json")) as Record<string, unknown>[];
  const lines = (await show("--jsonl")).split("\n").filter((line) => line !== "");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(all);
  return all;
}

describe("what is done at a shell", () => {
  it("by a token is recorded: that it was made, used, revoked and refused, and nothing of its secret", async () => {
    const { env, id, file } = await place();
    const { out: secret } = await cli(["token", "create", "--name", "phone", "--scope", "read"], { env });
    const { ACP_SIDECAR_IDENTITY: _, ...others } = env;
    const byToken = { ...others, PHONE: secret.trim(), ACP_SIDECAR_TOKEN: "env:PHONE" };
    process.env["PHONE"] = secret.trim();
    expect((await cli(["sessions", "show", id], { env: byToken })).status).toBe(0);
    await cli(["token", "revoke", "phone"], { env });
    expect((await cli(["sessions", "show", id], { env: byToken })).status).toBe(8);
    delete process.env["PHONE"];
    const records = await shown(env);
    // Whoever has no identity of their own acts as the one whose token it is.
    expect(records.filter(({ what }) => what === "token.use").map(({ who }) => who)).toEqual([
      env.ACP_SIDECAR_IDENTITY,
    ]);
    const said = records.filter(({ what }) => String(what).startsWith("token"));
    expect(said.map(({ what, outcome }) => `${String(what)} ${String(outcome)}`)).toEqual([
      "token.create done",
      "token.use done",
      "token.revoke done",
      "token.refuse refused",
    ]);
    expect(fs.readFileSync(file, "utf8")).not.toContain(secret.trim());
  });

  it("is recorded, a line each, with who did it to which session and how it ended", async () => {
    const { env, id } = await place();
    await cli(["sessions", "rename", id, "secret plans"], { env });
    await cli(["sessions", "archive", id], { env });
    await cli(["export", id, "--out", path.join(folder, "e.md"), "--force"], { env });
    await cli(["sessions", "fork", id], { env });
    await cli(["sessions", "rm", id, "--yes"], { env });
    await cli(["sessions", "restore", id], { env });
    expect((await cli(["sessions", "rename", "nosuch", "x"], { env })).status).toBe(4);
    await cli(["keys", "generate"], { env });
    const records = await shown(env);
    expect(records.map(({ what, session, outcome, code }) => [what, session === id, outcome, code])).toEqual([
      ["session.rename", true, "done", undefined],
      ["session.archive", true, "done", undefined],
      ["session.export", true, "done", undefined],
      ["session.fork", false, "done", undefined],
      ["session.trash", true, "done", undefined],
      ["session.restore", true, "done", undefined],
      ["access.refuse", false, "refused", "SESSION_NOT_FOUND"],
      ["key.generate", false, "done", undefined],
    ]);
    expect(records[0]).toMatchObject({ who: "ann", pid: process.pid, via: "command" });
    expect(JSON.stringify(records)).not.toContain("secret plans");
    expect(await shown(env, "--session", id.slice(-6), "--who", "ann")).toHaveLength(5);
    expect(await shown(env, "--who", "bob")).toEqual([]);
    expect(await shown(env, "--since", "2h")).toHaveLength(8);
    const { out } = await cli(["audit", "show"], { env });
    expect(out).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}ann {2}session\.rename \w{26} {2}done {2}\(process/,
    );
  });

  it("leaves nothing where nothing was done, and where audit is off", async () => {
    const { env, id, file } = await place();
    await cli(["sessions", "show", id], { env });
    await cli(["sessions", "rename", id, "x", "--audit", "off"], { env });
    expect(fs.existsSync(path.dirname(file))).toBe(false);
    const { out, status, err } = await cli(["audit", "verify"], { env });
    expect([out, status, err]).toEqual([`Nothing is recorded yet in ${file}\n`, 0, ""]);
    expect((await cli(["audit", "show"], { env })).err).toContain("nothing is recorded of that");
    expect((await cli(["audit", "anchor"], { env })).status).toBe(7);
  });

  it("is not done where it must be recorded and cannot be, and goes on with a word where it need not be", async () => {
    const { env, id } = await place();
    const required = { ...env, ACP_SIDECAR_AUDIT: "required" };
    const blocked = { ACP_SIDECAR_AUDIT_FILE: path.join(folder, "file", "audit.jsonl") };
    fs.writeFileSync(path.join(folder, "file"), "no folder");
    const refused = await cli(["sessions", "rename", id, "other"], { env: { ...required, ...blocked } });
    expect(refused).toMatchObject({ status: 7, out: "" });
    expect(refused.err).toMatch(
      /^acp-sidecar: The audit log .*file\/audit\.jsonl cannot be written.*required.*\n$/,
    );
    expect((await cli(["sessions", "show", id], { env })).out).toContain("one");
    const done = await cli(["sessions", "rename", id, "other"], { env: { ...env, ...blocked } });
    expect(done.status).toBe(0);
    expect(done.err.match(/audit log is not written/g)).toHaveLength(1);
    expect((await cli(["sessions", "rename", id, "third"], { env: required })).status).toBe(0);
    const records = await shown(env);
    expect(records.map(({ what, outcome }) => [what, outcome])).toEqual([
      ["session.rename", "begun"],
      ["session.rename", "done"],
    ]);
  });
});

describe("a log that was changed", () => {
  it("is found, and the line named; an anchor finds one that was shortened", async () => {
    const { env, id, file } = await place();
    for (const title of ["a", "b", "c"]) await cli(["sessions", "rename", id, title], { env });
    const anchor = (await cli(["audit", "anchor"], { env })).out.trim();
    expect(await cli(["audit", "verify", "--anchor", anchor], { env })).toMatchObject({
      status: 0,
      out: "3 lines, the anchor among them: as they were written\n",
    });
    const lines = fs.readFileSync(file, "utf8").split("\n");
    fs.writeFileSync(file, lines.with(1, (lines[1] ?? "").replace("rename", "rewind")).join("\n"));
    const changed = await cli(["audit", "verify"], { env });
    expect(changed.status).toBe(5);
    expect(changed.out).toContain("audit.jsonl, line 2 is not as it was written");
    expect((await cli(["audit", "anchor"], { env })).status).toBe(7);
    fs.writeFileSync(file, `${lines.slice(0, 2).join("\n")}\n`);
    expect((await cli(["audit", "verify"], { env })).status).toBe(0);
    const short = await cli(["audit", "verify", "--anchor", anchor], { env });
    expect(short.status).toBe(5);
    expect(short.out).toContain("ends with line 2, and the anchor is line 3");
    expect((await cli(["audit", "verify", "--anchor", "x"], { env })).status).toBe(2);
  });

  it("steers no terminal, whatever somebody wrote into it", async () => {
    const { env, id, file } = await place();
    await cli(["sessions", "rename", id, "a"], { env });
    fs.appendFileSync(
      file,
      '{"at":"\\u001b[2J","who":"\\u202eann","what":"x\\ny","facts":{"\\u0007":"\\u009b"}}\n',
    );
    for (const flags of [[], ["--jsonl"]]) {
      const { out } = await cli(["audit", "show", ...flags], { env });
      expect(out.split("\n")).toHaveLength(3);
      expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    }
  });
});
