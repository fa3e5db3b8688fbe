import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { openGuarded } from "../../src/store/guarded/open.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { cli, scratchFolder } from "./harness.ts";

const folder = scratchFolder();
let stores = 0;

/** A store with a session of Ann's. */
async function annsStore() {
  const store = `sqlite:${path.join(folder, `${(stores += 1)}.db`)}`;
  await using opened = await openGuarded(store, { identity: "ann" });
  const registry = new SessionRegistry({ store: opened });
  const { id } = await registry.create({ cwd: "/a", title: "hers" });
  await registry.addMessage(id, { role: "user", content: "a secret" });
  const cache = { XDG_CACHE_HOME: path.join(folder, `cache-${stores}`) };
  const as = (name: string, ...argv: string[]) =>
    cli([...argv, "--store", store, ...(name === "" ? [] : ["--identity", name])], { env: cache });
  return { store, id, as, cache };
}

describe("sessions share, unshare, shares", () => {
  it("lets somebody read, and no longer", async () => {
    const { id, as } = await annsStore();
    for (const name of ["bob", ""])
      expect(await as(name, "sessions", "show", id)).toMatchObject({
        status: 4,
        err: expect.stringContaining(`No session ${id}`) as string,
      });
    expect(await as("ann", "sessions", "share", id, "--with", "bob", "--ttl", "2h")).toMatchObject({
      status: 0,
      out: expect.stringMatching(`^Shared ${id} with bob: read, until `) as string,
    });
    expect((await as("bob", "sessions", "show", id)).out).toContain("a secret");
    const listed = JSON.parse((await as("bob", "sessions", "ls", "--json")).out) as { sessions: object[] };
    expect(listed.sessions).toMatchObject([{ id, owner: "ann" }]);
    expect((await as("bob", "sessions", "ls")).out).toMatch(/ WHOSE .*\nhers .* ann's /);
    expect((await as("ann", "sessions", "ls")).out).toMatch(/ WHOSE .*\nhers .* yours /);
    expect((await as("", "sessions", "ls")).out).not.toContain("WHOSE");
    for (const argv of [
      ["sessions", "rename", id, "x"],
      ["sessions", "archive", id],
      ["sessions", "rm", id, "--yes"],
      ["sessions", "fork", id],
      ["export", id],
      ["sessions", "share", id, "--with", "eve"],
      ["sessions", "shares", id],
      ["sessions", "end", id],
    ])
      expect(await as("bob", ...argv), argv.join(" ")).toMatchObject({
        status: 8,
        out: expect.not.stringContaining("a secret") as string,
      });
    expect((await as("bob", "sessions", "rm", id, "--yes")).err).toContain(
      'not delete it: ask its owner to share it with "delete"',
    );
    expect((await as("ann", "sessions", "shares", id)).out).toMatch(
      /is ann's, shared with 1 name\n.*\nbob +read +\d{4}-.* ann\n$/,
    );
    expect((await as("ann", "sessions", "unshare", id, "--with", "bob")).out).toBe(
      `No longer shared with bob: ${id}\n`,
    );
    expect((await as("bob", "sessions", "show", id)).status).toBe(4);
    expect((await as("ann", "sessions", "show", id)).status).toBe(0);
  });

  it("says what is wrong", async () => {
    const { id, as } = await annsStore();
    const refused = async (...argv: string[]) => (await as("ann", "sessions", "share", id, ...argv)).err;
    expect(await refused()).toContain("--with NAME");
    expect(await refused("--with", " ")).toContain("with must be a name");
    expect(await refused("--with", "a\u202eb")).not.toContain("\u202e");
    expect(await refused("--with", "ann")).toContain("somebody else");
    expect(await refused("--with", "bob", "--permissions", "reed")).toContain("did you mean read?");
    expect(await refused("--with", "bob", "--permissions", "read", "--write")).toContain("give one of them");
    expect(await refused("--with", "bob", "--ttl", "0")).toContain("--ttl");
  });
});

describe("sessions own", () => {
  it("makes what is nobody's yours", async () => {
    const { as } = await annsStore();
    const file = path.join(folder, "bundle.jsonl");
    const { as: other, id } = await annsStore();
    await other("ann", "export", id, "--format", "bundle", "--out", file);
    expect((await as("", "import", file)).status).toBe(0);
    expect((await as("bob", "sessions", "share", id, "--with", "eve")).err).toContain("is nobody's");
    expect((await as("", "sessions", "own", id)).err).toContain("--identity");
    expect((await as("bob", "sessions", "own", id)).out).toBe(
      `Yours now: ${id}\nFrom now on seen with --identity bob only (or identity in the configuration)\n`,
    );
    expect((await as("ann", "sessions", "show", id)).status).toBe(4);
  });
});

describe("search and usage of two who share a cache folder", () => {
  it("find what each may see", async () => {
    const { id, as } = await annsStore();
    expect((await as("ann", "search", "secret")).out).toContain(id);
    for (const name of ["bob", ""]) {
      expect((await as(name, "search", "secret")).out).not.toContain(id);
      expect((await as(name, "usage", "--by", "session", "--json")).out).not.toContain(id);
    }
    await as("ann", "sessions", "share", id, "--with", "bob");
    expect((await as("bob", "search", "secret")).out).toContain(id);
    await as("ann", "sessions", "unshare", id, "--with", "bob");
    expect((await as("bob", "search", "secret")).out).not.toContain(id);
    expect((await as("ann", "search", "secret")).out).toContain(id);
  });
});

describe("row-security", () => {
  it("is PostgreSQL's alone", async () => {
    const refused = await cli(["row-security", "status", "--store", "memory:"]);
    expect(refused).toMatchObject({ status: 2, err: expect.stringContaining("PostgreSQL's own") as string });
    expect((await cli(["row-security", "maybe", "--store", "memory:"])).status).toBe(2);
  });
});

describe("migrate", () => {
  it("takes along whose sessions are, for who may have all of them, and is refused to others", async () => {
    const { id, store } = await annsStore();
    const to = `file:${path.join(folder, `copy-${stores}`)}`;
    const copy = (...argv: string[]) => cli(["migrate", "--from", store, "--to", to, ...argv]);
    for (const argv of [[], ["--identity", "bob"]])
      expect(await copy(...argv)).toMatchObject({
        status: 8,
        err: expect.stringContaining("sessions of others") as string,
      });
    expect((await copy("--identity", "root", "--admins", "root")).status).toBe(0);
    const show = (name: string) => cli(["sessions", "show", id, "--store", to, "--identity", name]);
    expect([(await show("ann")).status, (await show("bob")).status]).toEqual([0, 4]);
  });
});

describe("token", () => {
  it("is made, shown once, listed, used and revoked", async () => {
    const { id, as, store } = await annsStore();
    const made = await as(
      "ann",
      "token",
      "create",
      "--name",
      "phone",
      "--scope",
      "read",
      "--session",
      id,
      "--ttl",
      "1h",
    );
    expect(made).toMatchObject({ status: 0, out: expect.stringMatching(/^acps_[\w-]{43}\n$/) as string });
    const secret = made.out.trim();
    const file = path.join(folder, "token");
    fs.writeFileSync(file, secret, { mode: 0o600 });
    const listed = await as("ann", "token", "ls");
    expect(listed.out).toMatch(/phone +read +read +1 session +ann/);
    expect(listed.out).not.toContain(secret);
    const byToken = (...argv: string[]) => cli([...argv, "--store", store, "--token", `file:${file}`]);
    expect((await byToken("sessions", "show", id)).out).toContain("a secret");
    expect(await byToken("sessions", "rename", id, "x")).toMatchObject({
      status: 8,
      err: expect.stringContaining("The token in use allows to read session") as string,
    });
    const shown = await cli(["sessions", "ls", "--store", store, "--token", secret]);
    expect(shown).toMatchObject({ status: 2, err: expect.stringContaining("holds a token") as string });
    expect(shown.err).not.toContain(secret);
    expect((await cli(["sessions", "ls", "--store", `redis://x:${secret}@h`])).err).not.toContain(secret);
    expect((await as("ann", "token", "revoke", "phone")).out).toContain("Revoked");
    expect(await byToken("sessions", "show", id)).toMatchObject({
      status: 8,
      err: expect.stringContaining("is not valid") as string,
    });
    expect((await as("ann", "token", "create", "--name", "x", "--scope", "all")).err).toContain(
      "allowed: read, write, admin",
    );
  });
});
