/** Bundles the harnesses, which are TypeScript, and runs them: `npm run torture -- NAME`. */
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { luaInBundles } from "../../.ci/lua.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const out = path.join(root, "node_modules/.cache/acp-sidecar-torture", `cli-${process.pid}.mjs`);

/** In the bundle every file keeps its own address: some find programs beside themselves. */
const ownAddress = {
  name: "own-address",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, ({ path: file }) => ({
      contents: fs
        .readFileSync(file, "utf8")
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(file).href)),
      loader: "ts",
    })),
};

await build({
  absWorkingDir: root,
  entryPoints: ["test/torture/cli.ts"],
  outfile: out,
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "node",
  target: "node20",
  plugins: [ownAddress, luaInBundles],
  logLevel: "warning",
});
try {
  const { main } = await import(pathToFileURL(out).href);
  process.exitCode = await main(process.argv.slice(2));
} finally {
  fs.rmSync(out, { force: true });
}
