/** What a stranger is told of somebody's session by every command is what they are told of one that there is not. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { openGuarded } from "../../src/store/guarded/open.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { cli, scratchFolder } from "./harness.ts";

const folder = scratchFolder();
let stores = 0;
const secret = "Xylophonemarker";
const unknown = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/** Ann has a session with a fork, one in the trash and one in the archive; all of it in this folder. */
async function anns() {
  const file = path.join(folder, `${(stores += 1)}.db`);
  const store = `sqlite:${file}`;
  await using opened = await openGuarded(store, { identity: "ann" });
  await using registry = new SessionRegistry({ store: opened });
  const made = async () => {
    const { id } = await registry.create({ cwd: process.cwd(), title: secret });
    await registry.addMessage(id, { role: "user", content: secret });
    return id;
  };
  const [id, trashed, archived] = [await made(), await made(), await made()];
  const fork = (await registry.fork(id)).id;
  await registry.remove(trashed);
  await registry.archive(archived);
  const run = (name: string, words: readonly string[], identity: readonly string[]) =>
    cli([...name.split(" "), ...words, "--store", store, ...identity]);
  return { file, store, run, sessions: { open: id, trashed, archived, fork } };
}

/** By its name the words that a command takes for a session, or for what it does to all. */
const ofSession: Readonly<Record<string, (id: string) => readonly string[]>> = {
  "sessions show": (id) => [id],
  "sessions rm": (id) => [id, "--yes", "--force"],
  "sessions restore": (id) => [id],
  "sessions rename": (id) => [id, "x"],
  "sessions archive": (id) => [id],
  "sessions unarchive": (id) => [id],
  "sessions compact": (id) => [id, "--yes"],
  "sessions summarise": (id) => [id],
  "sessions move": (id) => [id, folder],
  "sessions share": (id) => [id, "--with", "eve"],
  "sessions unshare": (id) => [id, "--with", "eve"],
  "sessions shares": (id) => [id],
  "sessions own": (id) => [id],
  "sessions end": (id) => [id, "--force"],
  "sessions fork": (id) => [id],
  "sessions rewind": (id) => [`${id}:1`, "--yes"],
  "sessions tools": (id) => [id],
  "sessions tree": (id) => [id],
  search: (id) => [secret, "--in", id],
  export: (id) => [id],
  verify: (id) => ["--session", id],
  "token create": (id) => ["--name", "x", "--scope", "read", "--session", id],
  "context show": (id) => [id],
  "context diff": (id) => [id],
  "context refresh": (id) => [id],
  "context clear": (id) => [id, "--yes"],
};

const ofAll: Readonly<Record<string, readonly string[]>> = {
  "sessions ls": ["--json"],
  search: [secret],
  usage: ["--json", "--by", "session"],
  "sessions stats": ["--json"],
  "sessions gc": ["--older-than", "1h", "--dry-run"],
  "sessions tree": ["--json"],
  "sessions restore": ["--all"],
  export: ["--all", "--out", path.join(folder, "out"), "--archived"],
  "token ls": ["--json"],
};

/** It names another thing so. */
const others: ReadonlySet<string> = new Set(["token revoke", "audit show"]);

describe("a command about somebody else's session", () => {
  it("stands in this test, whichever there is", () => {
    const missing = commands.filter(({ name, synopsis }) => /\bID\b/.test(synopsis) && !others.has(name));
    expect(missing.map(({ name }) => name).filter((name) => !(name in ofSession))).toEqual([]);
  });

  it("says of it what it says of one that there is not, and changes nothing", () =>
    sameAsNothing([["--identity", "eve"]], ["open"]));

  it(
    "says the same of forks, and of what is in the trash or the archive; also to who has no name",
    {
      tags: ["long"],
    },
    () => sameAsNothing([["--identity", "eve"], []], ["open", "trashed", "archived", "fork"]),
  );

  it("shows nothing of it where it looks through all, and counts nothing", async () => {
    const { store, sessions, run } = await anns();
    for (const [name, words] of Object.entries(ofAll)) {
      const { out, err } = await run(name, words, ["--identity", "eve"]);
      const text = out + err;
      for (const id of Object.values(sessions)) expect(text, name).not.toContain(id.slice(-8));
      expect(text, name).not.toContain(secret);
      expect(text, name).not.toMatch(/"(total|sessions|entries|turns)": [1-9]/);
    }
    const out = path.join(folder, "out");
    expect(fs.existsSync(out) ? fs.readdirSync(out) : []).toEqual([]);
    expect((await cli(["sessions", "ls", "--json", "--store", store, "--identity", "ann"])).out).toContain(
      secret,
    );
  });
});

async function sameAsNothing(
  identities: readonly (readonly string[])[],
  which: readonly ("open" | "trashed" | "archived" | "fork")[],
): Promise<void> {
  const { file, sessions, run } = await anns();
  const before = fs.readFileSync(file);
  const told = async (name: string, id: string, identity: readonly string[]) => {
    const { status, out, err } = await run(name, ofSession[name]?.(id) ?? [], identity);
    const hidden = (text: string) => text.replaceAll(id, "ID").replaceAll(id.slice(-8), "ID");
    return { status, out: hidden(out), err: hidden(err) };
  };
  for (const identity of identities)
    for (const name of Object.keys(ofSession)) {
      const nothing = await told(name, unknown, identity);
      expect(nothing.status, name).not.toBe(0);
      for (const each of which)
        expect(await told(name, sessions[each], identity), `${name} of one: ${each}`).toEqual(nothing);
    }
  expect(fs.readFileSync(file).equals(before)).toBe(true);
}
