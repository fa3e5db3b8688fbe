import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const src = fileURLToPath(new URL("../src/", import.meta.url));

/** What every part may import, and what imports nothing but each other. */
const leaves = [
  "errors.ts",
  "json.ts",
  "log.ts",
  "process-identity.ts",
  "redact.ts",
  "session-id.ts",
  "timing.ts",
  "version.ts",
];
/** The contract and what goes with it. */
const contract = ["store/store.ts", "store/refusals.ts", "store/cursor.ts"];

/** By part: the parts, or single files of them, that it may import. The arrows run downward. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  config: [],
  agent: ["protocol"],
  session: contract,
  "store/network": ["store"],
  "store/memory": ["store"],
  "store/cache": ["store"],
  "store/layered": ["store"],
  "store/file": ["store"],
  "store/sqlite": ["store"],
  "store/postgres": ["store", "store/network"],
  "store/redis": ["store", "store/network"],
  proxy: ["session", "agent", "protocol", ...contract],
  "sidecar.ts": ["proxy", "session", "agent", "protocol", "config", "store"],
  cli: ["sidecar.ts", "proxy", "session", "agent", "protocol", "config", "store"],
  "index.ts": ["sidecar.ts", "session", "config", "store"],
};
const drivers = Object.keys(arrows).filter((part) => part.startsWith("store/"));

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

/** `store/open.ts` is of `store`, `store/sqlite/lists.ts` of `store/sqlite`. */
function partOf(file: string): string {
  const [first = "", second, third] = file.split("/");
  return first === "store" && third !== undefined ? `store/${second}` : first;
}

function mayImport(file: string, target: string): boolean {
  const [from, to] = [partOf(file), partOf(target)];
  if (leaves.includes(target)) return true;
  if (leaves.includes(file)) return false;
  return from === to || (arrows[from] ?? []).some((allowed) => allowed === to || allowed === target);
}

describe("the parts of the program", () => {
  it("are all known here", () => {
    const known = new Set([...Object.keys(arrows), ...leaves, "store"]);
    expect(sources.map(({ file }) => partOf(file)).filter((part) => !known.has(part))).toEqual([]);
  });

  it("import downward only", () => {
    const upward = sources.flatMap(({ file, imports }) =>
      imports
        .filter(({ target, isDynamic }) => {
          if (target === undefined || target.startsWith("..")) return false;
          // The one arrow upward: what opens a store by its URL loads the driver that it names, then.
          const opensDriver = partOf(file) === "store" && isDynamic && drivers.includes(partOf(target));
          return !opensDriver && !mayImport(file, target);
        })
        .map(({ target }) => `${file} -> ${target}`),
    );
    expect(upward).toEqual([]);
  });

  it("have no cycles, types included", () => {
    expect(cycles()).toEqual([]);
  });

  it("leave packages to the one part that each is for", () => {
    const owners: readonly [RegExp, RegExp][] = [
      [/^better-sqlite3$/, /^store\/sqlite\//],
      [/^pg(-.*)?$/, /^store\/postgres\//],
      [/^ioredis$/, /^store\/redis\//],
      [/^lru-cache$/, /^store\//],
      [/^vscode-jsonrpc(\/.*)?$/, /^(protocol|proxy)\//],
      [/^ulid$/, /^session-id\.ts$/],
      [/^pino$/, /^log\.ts$/],
      [/^zod\/mini$/, /^(protocol|config|session)\/schema\.ts$/],
    ];
    const strays = sources.flatMap(({ file, imports }) =>
      imports
        .filter(({ specifier, target }) => target === undefined && !specifier.startsWith("node:"))
        .filter(({ specifier }) => !owners.some(([name, owner]) => name.test(specifier) && owner.test(file)))
        .map(({ specifier }) => `${file} -> ${specifier}`),
    );
    expect(strays).toEqual([]);
  });
});

describe("what an editor waits for", () => {
  it("loads no driver, no schema of ours and no log library", () => {
    const loaded = [...closure("cli/serve.ts"), ...closure("sidecar.ts")];
    expect(loaded).toContain("proxy/proxy.ts");
    expect(loaded.filter((file) => drivers.includes(partOf(file)))).toEqual([]);
    expect(loaded.filter((file) => /^(config|session)\/schema\.ts$/.test(file))).toEqual([]);
    const packages = loaded.flatMap((file) => staticImports(file).map(({ specifier }) => specifier));
    expect(packages).not.toContain("pino");
    expect(packages).not.toContain("better-sqlite3");
  });

  it("has the agent started before what talks to it is loaded", () => {
    const first = closure("cli/serve.ts");
    expect(first).toContain("agent/launch.ts");
    expect(first.filter((file) => /^(protocol|proxy)\//.test(file))).toEqual([]);
  });
});

describe("every file", () => {
  it("leaves the process's streams to the entry of the program, for stdout carries the protocol", () => {
    const users = sources.filter(({ text }) =>
      /\bconsole\.|\bprocess\.(stdout|stdin|stderr|exit)\b/.test(text),
    );
    expect(users.map(({ file }) => file)).toEqual(["cli/main.ts"]);
  });

  it("has about 250 lines at most", () => {
    const long = sources.filter(({ text }) => text.split("\n").length - 1 > 260);
    expect(long.map(({ file }) => file)).toEqual([]);
  });

  it("says in full which local file it imports", () => {
    const vague = sources.flatMap(({ file, imports }) =>
      imports
        .filter(({ specifier, target }) => target !== undefined && !/\.(ts|json)$/.test(specifier))
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
    sources.map(({ file, imports }) => [
      file,
      imports.filter(({ isDynamic }) => !isDynamic).flatMap(({ target }) => target ?? []),
    ]),
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
