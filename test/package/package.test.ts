/**
 * What `npm pack` makes, used as somebody who installed it would.
 * @module-tag long
 */
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { nodeEngine } from "../../src/sqlite/engine-node.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const packageDir = () => path.join(project, "node_modules", "acp-sidecar");
let project: string;
let files: readonly string[];
let tarball: string;

// Built and packed in a folder of its own: dist/ is in use by other tests meanwhile.
beforeAll(() => {
  project = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-package-"));
  const stage = path.join(project, "stage");
  fs.mkdirSync(stage);
  for (const name of ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "bin", "docs", "schemas"]) {
    if (fs.existsSync(path.join(root, name))) {
      fs.cpSync(path.join(root, name), path.join(stage, name), { recursive: true });
    }
  }
  execFileSync(process.execPath, [path.join(root, ".ci/build.mjs"), "--out", path.join(stage, "dist")]);
  const said = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project], {
    cwd: stage,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const report: unknown = JSON.parse(said);
  const [packed] = Object.values(report as object) as [{ filename: string; files: { path: string }[] }];
  files = packed.files.map((file) => file.path);
  tarball = path.join(project, path.basename(packed.filename));
  install();
}, 120_000);
afterAll(() => fs.rmSync(project, { recursive: true, force: true }));

/** As npm would, but from what is installed here: no test needs the network. */
function install(): void {
  fs.mkdirSync(packageDir(), { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", packageDir(), "--strip-components=1"]);
  // With `--omit=optional` where Node's own SQLite serves.
  const optional = nodeEngine(false) === undefined ? Object.keys(manifest.optionalDependencies) : [];
  const dependencies = closure([...Object.keys(manifest.dependencies), ...optional]);
  for (const name of [...dependencies, "@types/node", "undici-types"]) {
    const link = path.join(project, "node_modules", name);
    fs.mkdirSync(path.dirname(link), { recursive: true });
    fs.symlinkSync(path.join(root, "node_modules", name), link);
  }
  fs.writeFileSync(path.join(project, "package.json"), '{"type":"module"}');
}

function closure(names: readonly string[], found = new Set<string>()): Set<string> {
  for (const name of names.filter((each) => !found.has(each))) {
    const file = path.join(root, "node_modules", name, "package.json");
    if (!fs.existsSync(file)) continue;
    found.add(name);
    const { dependencies = {} } = JSON.parse(fs.readFileSync(file, "utf8")) as { dependencies?: object };
    closure(Object.keys(dependencies), found);
  }
  return found;
}

function write(name: string, text: string): string {
  const file = path.join(project, name);
  fs.writeFileSync(file, text);
  return file;
}

function isThere(folder: string, specifier: string): boolean {
  if (!specifier.startsWith(".")) return specifier in manifest.dependencies;
  return fs.existsSync(path.join(folder, specifier.replace(/\.ts$/, ".d.ts")));
}

describe("the package", () => {
  it("holds what it needs to run and nothing else", () => {
    const allowed =
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|bin\/acp-sidecar\.js|schemas\/\w+\.json|dist\/[\w-]+\.js(\.map)?|docs\/[\w-]+\.(md|png|json|yml)|dist\/acp-sidecar\.1|dist\/THIRD-PARTY-LICENSES\.txt|dist\/types\/.+\.d\.ts)$/;
    expect(files.filter((file) => !allowed.test(file))).toEqual([]);
    for (const needed of [
      "LICENSE",
      "bin/acp-sidecar.js",
      "dist/cli.js",
      "dist/index.js",
      ...manifest.man,
      "schemas/config.json",
    ]) {
      expect(files).toContain(needed);
    }
  });

  it("names no path of the machine that built it", () => {
    for (const file of files) {
      const text = fs.readFileSync(path.join(packageDir(), file), "utf8");
      expect(text.includes(root), file).toBe(false);
      if (!file.endsWith(".map")) continue;
      // As seen from the package, wherever it was built: not through folders above it; some libraries name their repository.
      const { sources } = JSON.parse(text) as { sources: readonly string[] };
      expect(sources.filter((source) => !/^(\.\.\/(?!\.\.)|https:)/.test(source))).toEqual([]);
    }
  });

  it("carries the licences of what is bundled", () => {
    const text = fs.readFileSync(path.join(packageDir(), "dist/THIRD-PARTY-LICENSES.txt"), "utf8");
    for (const name of ["vscode-jsonrpc", "zod", "ulid"]) {
      expect(text).toMatch(new RegExp(`^${name} [\\d.]+ \\(MIT\\)$`, "m"));
    }
  });

  it("is installed with its program and its manual page where the shell and man look", () => {
    const { name, version, bin, man } = manifest;
    const bare = path.join(project, "bare");
    for (const file of [bin["acp-sidecar"], ...man]) {
      fs.cpSync(path.join(packageDir(), file), path.join(bare, file));
    }
    // Without dependencies, because no test needs the network.
    fs.writeFileSync(path.join(bare, "package.json"), JSON.stringify({ name, version, bin, man }));
    const options = { cwd: bare, stdio: "ignore", shell: process.platform === "win32" } as const;
    execFileSync("npm", ["pack"], options);
    const prefix = path.join(project, "prefix");
    execFileSync(
      "npm",
      ["install", "--global", "--offline", "--prefix", prefix, `./${name}-${version}.tgz`],
      options,
    );
    if (process.platform === "win32") return;
    expect(fs.existsSync(path.join(prefix, "bin/acp-sidecar"))).toBe(true);
    expect(fs.existsSync(path.join(prefix, "share/man/man1/acp-sidecar.1"))).toBe(true);
  }, 60_000);

  it("loads what an editor waits for in few files, however many parts the program has", () => {
    const textOf = (file: string) => fs.readFileSync(path.join(packageDir(), "dist", file), "utf8");
    const loadedWith = (files: readonly string[], imports: RegExp) => {
      const found = new Set(files);
      for (const file of found) for (const [, next = ""] of textOf(file).matchAll(imports)) found.add(next);
      return [...found];
    };
    const program = loadedWith(["cli.js"], /"\.\/(chunk-\w+\.js)"/g);
    const exportsOf = (file: string) => /export\{([\w$,]*)\};/.exec(textOf(file))?.[1]?.split(",") ?? [];
    const parts = ["serve", "runSidecar", "openSqliteStore"].map((name) =>
      program.filter((file) => exportsOf(file).includes(name)),
    );
    expect(parts.map((files) => files.length)).toEqual([1, 1, 1]);
    const loaded = loadedWith(["cli.js", ...parts.flat()], /(?:from|import) ?"\.\/(chunk-\w+\.js)"/g);
    expect(loaded.length).toBeLessThanOrEqual(20);
  });

  it("runs as a program, with the version of its manifest", () => {
    const bin = path.join(packageDir(), "bin/acp-sidecar.js");
    const { stdout } = spawnSync(process.execPath, [bin, "--version"], { encoding: "utf8" });
    expect(stdout).toBe(`${manifest.version}\n`);
    const initialize = { jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: 1 } };
    const store = `sqlite:${path.join(project, "sessions.db")}`;
    const served = spawnSync(process.execPath, [bin, "--store", store], {
      encoding: "utf8",
      input: `${JSON.stringify(initialize)}\n`,
    });
    expect(served.stderr).toBe("");
    expect(JSON.parse(served.stdout)).toMatchObject({ id: 1, result: { protocolVersion: 1 } });
  });

  it("works as a library", () => {
    const file = write(
      "use.mjs",
      `import { openStore, SessionRegistry, SidecarError, isSidecarError, newSessionId } from "acp-sidecar";
       import schema from "acp-sidecar/schemas/config.json" with { type: "json" };
       const store = await openStore("sqlite:library.db");
       const registry = new SessionRegistry({ store });
       const { id } = await registry.create({ cwd: "/project" });
       await registry.addMessage(id, { role: "user", content: "hello" });
       const messages = [];
       for await (const { role, content } of registry.messages(id)) messages.push({ role, content });
       const missing = await registry.get(newSessionId()).catch((error) => isSidecarError(error, "SESSION_NOT_FOUND"));
       await registry.close();
       await store.close();
       console.log(JSON.stringify({ messages, missing, title: schema.title }));`,
    );
    const { stdout, stderr } = spawnSync(process.execPath, ["--no-warnings", file], {
      cwd: project,
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      messages: [{ role: "user", content: [{ type: "text", text: "hello" }] }],
      missing: true,
      title: "Configuration file of acp-sidecar",
    });
  });

  it("opens a store that somebody has written, and knows its errors", () => {
    const file = write(
      "full.mjs",
      `import { openStore as open, SidecarError, wrapStore } from "acp-sidecar";
       const full = async () => { throw new SidecarError("STORE_FULL", "The shelf is full"); };
       export const openStore = async ({ name }) => wrapStore(await open("memory:"), { name, create: full });`,
    );
    const bin = path.join(packageDir(), "bin/acp-sidecar.js");
    const calls = [
      { id: 1, method: "initialize", params: { protocolVersion: 1 } },
      { id: 2, method: "session/new", params: { cwd: project, mcpServers: [] } },
    ].map((call) => JSON.stringify({ jsonrpc: "2.0", ...call }));
    const { stdout } = spawnSync(process.execPath, [bin, "--store", `module:${file}?name=shelf`], {
      encoding: "utf8",
      input: `${calls.join("\n")}\n`,
    });
    const answers = stdout.trim().split("\n");
    expect(JSON.parse(answers.at(-1) ?? "")).toMatchObject({
      id: 2,
      error: { message: "The shelf is full", data: { code: "STORE_FULL" } },
    });
  });

  it("leads a stack back to the sources", () => {
    const file = write(
      "stack.mjs",
      `import { newSessionId, openStore } from "acp-sidecar";
       const store = await openStore("memory:");
       await store.update(newSessionId(), {}).catch(({ stack }) => console.log(stack));`,
    );
    const { stdout } = spawnSync(process.execPath, ["--enable-source-maps", file], { encoding: "utf8" });
    expect(stdout).toMatch(/src\/store\/guarded\/\w+\.ts:\d+:\d+/);
  });

  it("is laid out as package managers, bundlers and TypeScript want it", async () => {
    const bytes = new Uint8Array(fs.readFileSync(tarball));
    const linted = await publint({ pack: { tarball: bytes.buffer }, level: "suggestion" });
    expect(linted.messages).toEqual([]);
    const checked = await checkPackage(createPackageFromTarballData(bytes));
    const problems = checked.types === false ? ["no types"] : checked.problems;
    // Modules only, as the README says: require() of Node 20 cannot load them, and old resolution knows no exports.
    const meant = ["CJSResolvesToESM", "NoResolution"];
    const others = problems.filter((each) => typeof each === "string" || !meant.includes(each.kind));
    expect(others).toEqual([]);
  });

  it("has declarations that lead nowhere but to files and packages that are there", () => {
    const declarations = files.filter((file) => file.endsWith(".d.ts"));
    const lost = declarations.flatMap((file) => {
      const text = fs.readFileSync(path.join(packageDir(), file), "utf8");
      const specifiers = [...text.matchAll(/(?:from |import\()"([^"]+)"/g)].map(
        ([, specifier = ""]) => specifier,
      );
      return specifiers
        .filter((specifier) => !specifier.startsWith("node:"))
        .filter((specifier) => !isThere(path.join(packageDir(), path.dirname(file)), specifier))
        .map((specifier) => `${file} -> ${specifier}`);
    });
    expect(lost).toEqual([]);
    expect(declarations).toContain("dist/types/src/index.d.ts");
  });

  it("has types that a strict consumer can use", () => {
    write(
      "use.ts",
      `import { openStore, SessionRegistry, type Message, type Store, type SessionId } from "acp-sidecar";
       import { storeConformance, type StoreUnderTest } from "acp-sidecar/conformance";
       export async function last(url: string, id: SessionId): Promise<Message | undefined> {
         const store: Store = await openStore(url);
         let found: Message | undefined;
         for await (const message of new SessionRegistry({ store }).messages(id)) found = message;
         // @ts-expect-error an id is not just any text
         await store.get("nonsense");
         return found;
       }
       export const check: (subject: StoreUnderTest) => void = (subject) =>
         storeConformance({ describe: (_, body) => body(), it: () => undefined }, subject);`,
    );
    const options = {
      module: "NodeNext",
      target: "ES2022",
      lib: ["ES2022"],
      strict: true,
      noEmit: true,
      exactOptionalPropertyTypes: true,
      types: ["node"],
      skipLibCheck: true,
    };
    const config = write("tsconfig.json", JSON.stringify({ compilerOptions: options, files: ["use.ts"] }));
    const tsc = path.join(root, "node_modules/typescript/bin/tsc");
    const { stdout } = spawnSync(process.execPath, [tsc, "-p", config], { encoding: "utf8" });
    expect(stdout).toBe("");
  });
});
