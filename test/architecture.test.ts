import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const src = fileURLToPath(new URL("../src/", import.meta.url));

/**
 * By part (a folder of src, of src/store or src/care, or a file at the top): the parts, or single files of them, that
 * it may import, statically or not. Every part may import `base`, which imports nothing. The arrows run downward.
 */
const contract = [
  "store/contract.ts",
  "store/text-index.ts",
  "store/refusals.ts",
  "store/rules.ts",
  "store/arguments.ts",
];
const arrows: Readonly<Record<string, readonly string[]>> = {
  base: [],
  acp: ["store/contract.ts"],
  // The two engines: whoever keeps something in a SQLite file uses them.
  sqlite: [],
  // Who did what: a log that knows no sessions.
  audit: ["config/config.ts", "config/options.ts", "config/paths.ts", "config/principal.ts"],
  rpc: [],
  agent: ["rpc", "acp", "config/config.ts"],
  // The order of lists: it puts pages by several spellings of a folder together. What a repair has put in an entry's place.
  session: [
    "acp",
    "audit/audit.ts",
    "config/config.ts",
    "config/options.ts",
    "config/said.ts",
    "store/query.ts",
    "store/placeholder.ts",
    "store/guarded",
    ...contract,
  ],
  // The rows of its index are those of the one on a server; what is brought in has no id of the store's own records.
  history: [
    "acp",
    "audit/audit.ts",
    "session",
    "store/known-row.ts",
    "store/keys-id.ts",
    "sqlite",
    "config/config.ts",
    "config/options.ts",
    "config/paths.ts",
    ...contract,
  ],
  // What a project is, and what became of its files: derived, and loaded when it is asked for.
  context: ["acp", "session", ...contract],
  // What is counted, and what becomes of it: knows no session and no wire.
  figures: [],
  // What runs on this machine: processes that ask one another.
  local: ["figures", "rpc", "config/paths.ts"],
  relay: ["audit/audit.ts", "history", "context", "session", "agent", "acp", "rpc", ...contract],
  store: [],
  "store/server": ["store"],
  "store/memory": ["store"],
  "store/layered": ["store"],
  "store/file": ["store"],
  "store/sql": ["store", "store/server"],
  "store/sql/sqlite": ["store", "store/sql", "sqlite"],
  "store/sql/postgres": ["store", "store/sql", "store/server"],
  "store/redis": ["store", "store/server"],
  // Decorators: they know no driver.
  "store/encrypted": ["store"],
  "store/guarded": ["store"],
  care: ["acp", "session", "store", "store/encrypted"],
  "care/file": ["care", "store", "store/file"],
  "care/postgres": ["care", "store", "store/sql/postgres"],
  "care/sqlite": ["care", "store", "store/sql/sqlite", "sqlite"],
  // Whether all is well: what asks every part that could tell.
  health: [
    "care",
    "history",
    "session",
    "agent",
    "audit",
    "config/config.ts",
    "config/paths.ts",
    "config/units.ts",
    ...contract,
  ],
  // The outside by HTTP: prompts reach an agent by what the command hands it.
  http: [
    "audit/audit.ts",
    "health",
    "local",
    "figures",
    "context",
    "history",
    "session",
    "rpc",
    "acp",
    "config/config.ts",
    "config/options.ts",
    "config/paths.ts",
    "store/guarded",
    "store/driver.ts",
    "view/index.html",
    ...contract,
  ],
  // The page in a browser: it reaches sessions by HTTP only, and shares words with what else people are shown.
  view: [
    "acp/content.ts",
    "history/line-diff.ts",
    "history/pages/items.ts",
    "history/words.ts",
    "session/call-parts.ts",
    "session/happenings.ts",
  ],
  // Who is told what happens; loaded when there is something to tell.
  notify: [
    "acp",
    "session",
    "agent/command.ts",
    "agent/process-group.ts",
    "config/config.ts",
    "config/structures.ts",
    ...contract,
  ],
  // Rounds in which a store is looked after, and who is alerted; loaded when one is due.
  upkeep: [
    "notify",
    "health",
    "care",
    "history",
    "session",
    "acp",
    "config",
    "store/guarded",
    "store/keys-id.ts",
    ...contract,
  ],
  config: [],
  "background.ts": ["upkeep", "notify", "session", "config", "store/guarded", ...contract],
  "sidecar.ts": [
    "audit",
    "background.ts",
    "local",
    "relay",
    "history",
    "session",
    "agent",
    "acp",
    "rpc",
    "config",
    "store",
    "store/guarded",
  ],
  // Sessions through their one door; of the store only what `aboutStores` says.
  cli: [
    "sidecar.ts",
    "audit",
    "care",
    "health",
    "background.ts",
    "upkeep",
    "notify",
    "context",
    "http",
    "history",
    "session",
    "agent",
    "acp",
    "rpc",
    "config",
    "figures",
    "local",
  ],
  "index.ts": [
    "audit",
    "acp",
    "sidecar.ts",
    "context",
    "history",
    "session",
    "config",
    "store",
    "store/encrypted",
    "store/guarded",
  ],
};
/** What is opened by a name that is only known when the program runs: the arrows upward, each a dynamic import. */
const openers: Readonly<Record<string, RegExp>> = {
  "store/open.ts": /^store\/(?!server$)/,
  "store/open-encrypted.ts": /^store\/encrypted$/,
  "care/maintenance.ts": /^care\//,
  "care/row-security.ts": /^care\/postgres$/,
};
/** What of the store single files need, who are about a store as a whole or open the configured one. */
const aboutStores: Readonly<Record<string, readonly string[]>> = {
  "cli/configured.ts": ["store/open.ts"],
  "cli/sessions.ts": ["store/guarded/open.ts"],
  "cli/http.ts": [
    "store/open-encrypted.ts",
    "store/contract.ts",
    "store/guarded/open.ts",
    "store/measured.ts",
  ],
  "cli/sessions-share.ts": ["store/guarded/permissions.ts"],
  "cli/token.ts": ["store/guarded/permissions.ts", "store/guarded/tokens.ts"],
  "cli/verify.ts": ["store/open-encrypted.ts"],
  "cli/verify-session.ts": ["store/guarded/open.ts"],
  "cli/migrate.ts": ["store/guarded/open.ts", "store/contract.ts"],
  "cli/doctor-store.ts": ["store/guarded/open.ts", "store/contract.ts"],
};
/** Packages, and the files that may import them. */
const owners: readonly (readonly [RegExp, RegExp])[] = [
  [/^better-sqlite3$/, /^sqlite\/engines\.ts$/],
  [/^pg(-.*)?$/, /^store\/sql\/postgres\//],
  [/^ioredis$/, /^store\/redis\//],
  [/^@opentelemetry\/api$/, /^figures\/(open-telemetry|instruments|turn-span)\.ts$/],
  [/^lru-cache$/, /^store\//],
  [/^vscode-jsonrpc$/, /^rpc\//],
  [/^ulid$/, /^base\/ids\.ts$/],
  [/^pino$/, /^base\/log\.ts$/],
  [/^fzstd$/, /^history\/import\/codex\/zst\.ts$/],
  [/^string-width$/, /^cli\/width\.ts$/],
  [/^markdown-it$/, /^history\/export\/rich-text\.ts$/],
  [/^(hono|@hono\/node-server)$/, /^http\/(app|server)\.ts$/],
  [/^zod\/mini$/, /^((acp|config|session|http)\/|acp\/place-)schema\.ts$/],
  [/^zod\/mini$/, /^http\/shapes\//],
];
/** Says where what a test finds wrong can be allowed, for whoever meets the test first. */
const edit = (table: string) => `to allow it, edit the table \`${table}\` in test/architecture.test.ts`;
/** The guard is no driver: it stands before every one. */
const drivers = Object.keys(arrows).filter((part) => part.startsWith("store/") && part !== "store/guarded");

interface Import {
  readonly specifier: string;
  /** Within src; absent for a package. */
  readonly target?: string;
  readonly isDynamic: boolean;
  readonly isType: boolean;
}

interface Source {
  readonly file: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

const sources: readonly Source[] = fs
  .readdirSync(src, { recursive: true, encoding: "utf8" })
  .map((file) => file.split(path.sep).join("/"))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => {
    const text = fs.readFileSync(path.join(src, file), "utf8");
    return { file, text, imports: importsOf(file, text) };
  });

function importsOf(file: string, text: string): Import[] {
  const statements = text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm);
  const calls = text.matchAll(/\b(?:import|require\([^)]*\))\("([^"]+)"\)/g);
  const entry = (specifier: string, isDynamic: boolean, isType: boolean): Import => ({
    specifier,
    isDynamic,
    isType,
    ...(specifier.startsWith(".") && {
      target: path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier)),
    }),
  });
  return [
    ...[...statements].map(([, type, specifier = ""]) => entry(specifier, false, type !== undefined)),
    ...[...calls].map(([, specifier = ""]) => entry(specifier, true, false)),
  ];
}

/** `store/open.ts` is of `store`, `store/file/lines.ts` of `store/file`, `relay/live/turn.ts` of `relay`. */
function partOf(file: string): string {
  const folders = file.split("/").slice(0, -1);
  const known = folders
    .map((_, depth) => folders.slice(0, depth + 1).join("/"))
    .filter((part) => part in arrows);
  return known.at(-1) ?? folders[0] ?? file;
}

function mayImport(file: string, { target = "", isDynamic, isType }: Import): boolean {
  const [from, to] = [partOf(file), partOf(target)];
  if (from === to || to === "base" || target.startsWith("..")) return true;
  if (aboutStores[file]?.includes(target) === true) return true;
  if ((isDynamic || isType) && openers[file]?.test(to)) return true;
  return (arrows[from] ?? []).some((allowed) => allowed === to || allowed === target);
}

describe("the parts of the program", () => {
  it("are all known here", () => {
    const unknown = sources.filter(({ file }) => !(partOf(file) in arrows)).map(({ file }) => file);
    expect(unknown, edit("arrows")).toEqual([]);
  });

  it("import downward only", () => {
    const upward = sources.flatMap(({ file, imports }) =>
      imports
        .filter((each) => each.target !== undefined && !mayImport(file, each))
        .map(({ target }) => `${file} -> ${target}`),
    );
    expect(upward, edit("arrows")).toEqual([]);
  });

  it("have no cycles, types and dynamic imports included", () => {
    expect(cycles(), "move what both need to a file below them").toEqual([]);
  });

  it("leave packages to the one part that each is for", () => {
    const strays = sources.flatMap(({ file, imports }) =>
      imports
        .filter(({ specifier, target }) => target === undefined && !specifier.startsWith("node:"))
        .filter(({ specifier }) => !owners.some(([name, owner]) => name.test(specifier) && owner.test(file)))
        .map(({ specifier }) => `${file} -> ${specifier}`),
    );
    expect(strays, edit("owners")).toEqual([]);
  });
});

describe("what an editor waits for", () => {
  it("loads no driver, no schema of ours and no log library", () => {
    const loaded = ["cli/main.ts", "cli/serve.ts", "sidecar.ts"].flatMap((file) => closure(file));
    expect(loaded).toContain("relay/relay.ts");
    expect(loaded.filter((file) => drivers.includes(partOf(file)))).toEqual([]);
    expect(loaded.filter((file) => /^(config|session)\/schema\.ts$/.test(file))).toEqual([]);
    const packages = loaded.flatMap((file) => staticImports(file).map(({ specifier }) => specifier));
    expect(loaded.filter((file) => /^history\/(export|import)\//.test(file))).toEqual([]);
    expect(packages).not.toContain("pino");
    expect(packages).not.toContain("better-sqlite3");
    expect(packages).not.toContain("string-width");
  });

  it("has the agent started before what talks to it is loaded", () => {
    const first = closure("cli/serve.ts");
    expect(first).toContain("agent/launch.ts");
    expect(first.filter((file) => /^(rpc|acp|relay)\//.test(file))).toEqual([]);
  });
});

describe("every file", () => {
  it("leaves the process's streams to the entry of the program, because stdout carries the protocol", () => {
    const users = sources.filter(({ text }) =>
      /\bconsole\.|\bprocess\.(stdout|stdin|stderr|exit)\b/.test(text),
    );
    expect(users.map(({ file }) => file)).toEqual(["cli/main.ts"]);
  });

  it("has about 250 lines at most", () => {
    const long = sources.filter(({ text }) => text.split("\n").length - 1 > 260);
    expect(
      long.map(({ file }) => file),
      "look for the second concern, and give it a file",
    ).toEqual([]);
  });

  it("leaves versions of the protocol to acp", () => {
    const versions = sources.filter(({ text }) => /protocolVersion/.test(text)).map(({ file }) => file);
    expect(versions.filter((file) => !file.startsWith("acp/"))).toEqual([]);
  });

  it("says in full which local file it imports", () => {
    const vague = sources.flatMap(({ file, imports }) =>
      imports
        .filter(({ specifier, target }) => target !== undefined && !/\.(ts|json|lua|html)$/.test(specifier))
        .map(({ specifier }) => `${file} -> ${specifier}`),
    );
    expect(vague).toEqual([]);
  });
});

/** Imports that are carried out when the file is loaded. */
function staticImports(file: string): readonly Import[] {
  const source = sources.find((candidate) => candidate.file === file);
  return source?.imports.filter(({ isDynamic, isType }) => !isDynamic && !isType) ?? [];
}

function closure(file: string, found: string[] = []): string[] {
  if (found.includes(file)) return found;
  found.push(file);
  for (const { target } of staticImports(file)) if (target !== undefined) closure(target, found);
  return found;
}

function cycles(): string[] {
  const targets = new Map(
    sources.map(({ file, imports }) => [file, imports.flatMap(({ target }) => target ?? [])]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]) => {
    if (trail.includes(file)) found.push([...trail.slice(trail.indexOf(file)), file].join(" -> "));
    if (done.has(file) || trail.includes(file)) return;
    for (const target of targets.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return found;
}
