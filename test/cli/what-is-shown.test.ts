/**
 * Whatever stands in a session, no command steers a terminal with it: every field of a record and of each kind of entry holds
 * what somebody hostile would put there, and every command that shows sessions is run on it, as text, as JSON and as pages.
 */
import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openSqliteStore } from "../../src/store/sql/sqlite/store.ts";
import type { SessionRecord } from "../../src/store/contract.ts";
import { end, entry, prompt, say, startMs, talk, text, update } from "../history/talk.ts";
import { cli, scratchFolder } from "./harness.ts";

/** What steers terminals, turns writing round, breaks lines, quotes, paths, JSON and code that looks names up. */
const pieces = [
  "\u001b[2J\u001b[31m",
  "\u001b]8;;http://evil.example\u0007",
  "\u009b31m\u009d0;title\u009c",
  "\u202e\u2066\u200f\u061c",
  "\r",
  "\n",
  "\t",
  "\0\b\u007f",
  "\u2028\u2029\u0085",
  "\ud800",
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "`$(touch x)`",
  "|",
  "'\"\\",
  "../../",
  "__proto__",
  "constructor",
  "%s%n{}",
  "漢字é👩‍👩‍👧",
  "ordinary words",
];
const words = fc
  .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 5 })
  .map((some) => some.join(" "));

/** As a terminal would obey it; a tab and the end of a line are for layout. */
const steering = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

interface Place {
  readonly store: string;
  readonly folder: string;
  readonly id: string;
  readonly words: string;
}

/** How each command that tells of sessions is called; the others are named with what they tell of instead. */
const calls: Readonly<Record<string, ((at: Place) => readonly (readonly string[])[]) | string>> = {
  serve: "an editor, in ACP",
  "sessions ls": (at) => [[], ["--title", at.words], ["--trash"], ["--archived"]],
  "sessions show": ({ id }) => [
    [id],
    [id, "--tools", "full", "--thoughts", "--superseded"],
    [id, "--entries"],
  ],
  "sessions rm": ({ id }) => [[id, "--dry-run"]],
  "sessions restore": (at) => [[at.words.replaceAll("\0", "") || "x"]],
  "sessions move": "the folder that it was in; see below",
  "sessions stats": () => [[]],
  "sessions gc": () => [["--dry-run"]],
  doctor: "an agent, not sessions",
  upkeep: () => [[]],
  demo: "an agent, not sessions",
  config: "the configuration",
  "config init": "the configuration",
  "config path": "the configuration",
  completion: "the program",
  "sessions fork": ({ id }) => [[id]],
  "sessions rewind": ({ id }) => [
    [id, "--yes"],
    [id, "--undo", "--yes"],
  ],
  "sessions tools": ({ id }) => [[id], [id, "--superseded"]],
  "sessions tree": ({ id }) => [[], [id]],
  export: ({ id, folder }) => [
    ...["markdown", "html", "json", "jsonl"].map((format) => [id, "--format", format]),
    [id, "--out", path.join(folder, "exported"), "--force"],
    ["--all", "--out", `${folder}/all/`, "--force"],
  ],
  "sessions rename": ({ id, words: said }) => [[id, `x${said.replaceAll("\0", "")}`]],
  "sessions archive": ({ id }) => [[id]],
  "sessions unarchive": ({ id }) => [[id]],
  "sessions compact": ({ id }) => [[id, "--dry-run"]],
  "sessions summarise": "what an agent answers; see sessions-summarise.test.ts",
  usage: () => ["day", "agent", "project", "session"].map((by) => ["--by", by]),
  search: ({ words: said }) => [["please"], ["ordinary"], [`x${said.replaceAll("\0", "")}`]],
  import: "files; see import.test.ts",
  migrate: ({ folder }) => [["--to", `sqlite:${folder}/copy.db`]],
  backup: ({ folder }) => [["--to", `sqlite:${folder}/backup.db`]],
  restore: "as migrate",
  verify: () => [[]],
  "context show": ({ id }) => [[id]],
  "context diff": ({ id }) => [[id], [id, "--all"], [id, "--from", "0", "--to", "1"]],
  "context refresh": ({ id }) => [[id]],
  "context clear": ({ id }) => [[id, "--yes"]],
  "context warm": "a folder",
  "context gc": "numbers",
  "sessions own": "what an owner is called by; names have no such characters",
  "sessions share": "as sessions own",
  "sessions unshare": "as sessions own",
  "sessions shares": ({ id }) => [[id]],
  "sessions end": ({ id }) => [[id]],
  "token create": "a token",
  "token ls": () => [[]],
  "token revoke": "a token",
  "row-security": "a server",
  http: "its address; what it answers is JSON, which browsers and programs read",
  "audit show": "who did what; see audit.test.ts",
  "audit verify": "lines and hashes",
  "audit anchor": "a hash",
  ps: "processes; see local.test.ts",
  top: "as ps",
  stop: "as ps",
  figures: "numbers",
  "keys generate": "keys",
  "keys status": "keys",
  "keys rotate": "keys",
};

describe("what is shown of sessions steers nothing [issue 11.6]", () => {
  it("every command says here how it is called", () => {
    expect(Object.keys(calls).sort()).toEqual(commands.map(({ name }) => name).sort());
  });

  it("as text, as JSON, in errors: all of it at once in every field", { timeout: 60_000 }, () =>
    nothingIsObeyed(pieces.join(" ")),
  );

  it("nor where it was, when it is moved", async () => {
    const folder = path.join(home, "moved");
    fs.mkdirSync(folder);
    const { id } = await hostileSession(`${folder}/s.db`, pieces.join(" "));
    for (const form of [[], ["--json"]]) {
      const { status, out } = await cli([
        "sessions",
        "move",
        id,
        folder,
        "--store",
        `sqlite:${folder}/s.db`,
        ...form,
      ]);
      expect([status, out.match(steering)?.[0]]).toEqual([0, undefined]);
    }
  });

  it("whichever of it stands there", { timeout: 600_000, tags: ["long"] }, () =>
    fc.assert(fc.asyncProperty(words, nothingIsObeyed), { numRuns: 25 }),
  );
});

let runs = 0;
const home = scratchFolder();

async function nothingIsObeyed(said: string): Promise<void> {
  const folder = path.join(home, String((runs += 1)));
  fs.mkdirSync(folder);
  const { id } = await hostileSession(`${folder}/s.db`, said);
  const at = { store: `sqlite:${folder}/s.db`, folder, id, words: said };
  for (const { name, flags } of commands) {
    const call = calls[name];
    if (call === undefined || typeof call === "string") continue;
    const forms = ["json", "jsonl"].filter((form) => flags.some((flag) => flag.name === form));
    for (const args of call(at))
      for (const form of [[], ...forms.map((each) => [`--${each}`])])
        await showsNothingOfIt(name, [...args, ...form], at);
  }
}

async function showsNothingOfIt(name: string, args: readonly string[], at: Place): Promise<void> {
  const storeFlag = name === "migrate" ? "--from" : "--store";
  if (name === "migrate") fs.rmSync(`${at.folder}/copy.db`, { force: true });
  if (name === "backup") fs.rmSync(`${at.folder}/backup.db`, { force: true });
  const argv = [...name.split(" "), ...args, storeFlag, at.store];
  const { status, out, err } = await cli(argv, {
    env: { XDG_CACHE_HOME: at.folder, NO_COLOR: "1" },
    columns: 90,
  });
  const told = JSON.stringify({ argv, status, err });
  expect(out.match(steering)?.[0], `${told} wrote to stdout`).toBeUndefined();
  expect(err.match(steering)?.[0], `${told} wrote to stderr`).toBeUndefined();
  expect(out.isWellFormed() && err.isWellFormed()).toBe(true);
  if (status !== 0 && name !== "search") expect(err, told).toMatch(/^acp-sidecar: .+\n$/);
  const isJson = name === "export" ? args.includes("json") : args.includes("--json");
  if (status === 0 && isJson) JSON.parse(out);
  if (args.includes("--jsonl")) for (const line of out.split("\n").filter(Boolean)) JSON.parse(line);
}

/** Every field that takes a text has this one. */
async function hostileSession(file: string, said: string): Promise<SessionRecord> {
  const store = await openSqliteStore({ path: file });
  const registry = new SessionRegistry({ store, now: () => startMs });
  const { id } = await registry.create({
    cwd: `/p/${said}`,
    additionalDirectories: [`/q/${said}`],
    title: said,
    client: { info: { name: said, title: said, version: said } },
    agent: { info: { name: said, title: said, version: said }, command: said },
    mcpServerNames: [said],
    agentSessionIds: [said],
    settings: { modeId: said, modelId: said, configOptions: { [said]: said }, owesHandoverTo: said },
    metadata: { [said]: said },
  });
  const { journal } = await registry.open(id);
  await journal.seal(talk(said));
  await journal.seal([
    prompt(said),
    say(said),
    say(said, "agent_thought_chunk"),
    ...["status", "kind", "sessionUpdate"].map((field) =>
      update("tool_call", {
        toolCallId: `${said}${field}`,
        title: said,
        [field]: said,
        locations: [{ path: said, line: 1 }],
      }),
    ),
    update("usage_update", { used: 1, size: 2, cost: { amount: 1, currency: said } }),
    update("current_mode_update", { currentModeId: said }),
    entry("setting", { method: said, modeId: said }),
    entry("message", { role: said, content: [text(said)] }),
    entry("message", { role: "user", content: [{ type: said, uri: said, name: said, mimeType: said }] }),
    end({ result: { stopReason: said, usage: { totalTokens: 3 } } }),
  ]);
  const throughSeq = journal.sealedSeq;
  await journal.release();
  await registry.addSummary(id, { throughSeq, content: said, by: said });
  const other = await registry.create({ cwd: `/p/${said}`, title: said });
  await registry.remove(other.id);
  const record = await registry.get(id);
  await registry.close();
  await store.close();
  return record;
}
