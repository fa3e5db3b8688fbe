/**
 * Builds dist/: one ES module bundle per entry with shared chunks, and (unless --fast) type declarations.
 *   node .ci/build.mjs [--fast] [--out DIR]
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { luaInBundles } from "./lua.mjs";
import { startInOnePiece } from "./start.mjs";
import { viewInBundles } from "./view.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const fast = process.argv.includes("--fast");
const outAt = process.argv.indexOf("--out");
const out = outAt < 0 ? path.join(root, "dist") : path.resolve(process.argv[outAt + 1]);

const entries = { cli: "src/cli/main.ts", index: "src/index.ts", conformance: "test/conformance/suite.ts" };
// The program apart from the library: what they share would be cut into pieces, and each costs start-up time.
const { metafile } = await bundle(["cli"]);
const results = [
  await bundle(["cli"], [startInOnePiece(metafile.inputs, entries.cli)]),
  await bundle(["index", "conformance"]),
];
const outputs = results.flatMap((result) => result.outputFiles);

function bundle(names, plugins = []) {
  return build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(names.map((name) => [name, entries[name]])),
    // Wherever it is written to: source maps name the sources as they are seen from there.
    outdir: path.join(root, "dist"),
    chunkNames: "chunk-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    // Parsing is a good part of the start; names stay, for stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    // Native code, optional peers, the test runner of the conformance suite, and pino: loaded by the first log
    // record, at once and from code that also runs unbundled.
    external: ["better-sqlite3", "pg", "ioredis", "@opentelemetry/api", "vitest", "pino"],
    // Of it we use the errors: the rest would be a seventh of what is parsed before an editor has its answer.
    alias: { "vscode-jsonrpc": "./node_modules/vscode-jsonrpc/lib/common/messages.js" },
    // What is CommonJS among the bundled packages calls require for Node's own modules.
    banner: {
      js: 'import { createRequire as makeRequire } from "node:module";const require = makeRequire(import.meta.url);',
    },
    legalComments: "none",
    // So that a stack can be read, with node --enable-source-maps; the sources themselves are not in it.
    sourcemap: "linked",
    sourcesContent: false,
    plugins: [luaInBundles, viewInBundles, ...plugins],
    metafile: true,
    write: false,
    logLevel: "warning",
  });
}

// Chunks before entries, each in one step: a sidecar that is running or starting meanwhile sees no half build.
const isEntry = (file) => path.basename(file.path, ".js") in entries;
fs.mkdirSync(out, { recursive: true });
for (const file of outputs.toSorted((a, b) => isEntry(a) - isEntry(b)))
  replace(path.join(out, path.basename(file.path)), file.text);
replace(path.join(out, "acp-sidecar.1"), await manPage());
if (!fast) {
  prune(outputs.map((file) => path.basename(file.path)));
  declarations();
  replace(
    path.join(out, "THIRD-PARTY-LICENSES.txt"),
    licenses(results.flatMap((result) => Object.keys(result.metafile.inputs))),
  );
}
fs.writeFileSync(path.join(out, ".stamp"), fast ? "fast\n" : "full\n");

/** From the tables of commands and options, which only the sources have. */
async function manPage() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["src/cli/man.ts"],
    bundle: true,
    format: "esm",
    platform: "node",
    external: ["./tools.ts", "./serve.ts", "./http.ts"],
    write: false,
    logLevel: "warning",
  });
  const url = `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`;
  const { manPage: pageOf } = await import(url);
  return pageOf(JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")).version);
}

function replace(file, text) {
  if (fs.existsSync(file) && fs.readFileSync(file, "utf8") === text) return;
  const temporary = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, text);
  fs.renameSync(temporary, file);
}

/** Chunks of earlier builds; a fast build leaves them for sidecars that still run from them. */
function prune(wanted) {
  for (const name of fs.readdirSync(out)) {
    if (/\.js(\.map)?$/.test(name) && !wanted.includes(name)) fs.rmSync(path.join(out, name));
  }
}

/** Declarations of the public entries and of what they lead to, and of nothing else. */
function declarations() {
  const types = path.join(out, "types");
  fs.rmSync(types, { recursive: true, force: true });
  const tsc = path.join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", path.join(root, "tsconfig.build.json"), "--outDir", types], {
    stdio: ["ignore", 2, 2],
  });
  const reached = new Set();
  for (const entry of [entries.index, entries.conformance]) reach(path.join(types, entry), reached);
  for (const file of fs.readdirSync(types, { recursive: true }).filter((name) => name.endsWith(".d.ts"))) {
    if (!reached.has(path.join(types, file))) fs.rmSync(path.join(types, file));
  }
}

function reach(source, reached) {
  const file = source.replace(/\.ts$/, ".d.ts");
  if (reached.has(file)) return;
  reached.add(file);
  for (const [, specifier] of fs.readFileSync(file, "utf8").matchAll(/(?:from |import\()"(\.[^"]+)"/g)) {
    reach(path.resolve(path.dirname(file), specifier), reached);
  }
}

/** The licence of every package whose code is in the bundle. */
function licenses(inputs) {
  const packages = new Set(
    inputs.flatMap((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []),
  );
  return [...packages]
    .sort()
    .map(licenseOf)
    .join(`\n${"-".repeat(80)}\n\n`);
}

function licenseOf(name) {
  const folder = path.join(root, "node_modules", name);
  const { version, license } = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
  const file = fs.readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? "" : fs.readFileSync(path.join(folder, file), "utf8").trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
}
