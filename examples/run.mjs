/**
 * Runs an example: npm run example -- NAME. Compiles it on the fly; "acp-sidecar" is this package as it was
 * built, found as any program that depends on it would find it.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const names = fs
  .readdirSync(here)
  .filter((file) => file.endsWith(".ts") && file !== "print.ts")
  .map((file) => file.slice(0, -3));
const [name = ""] = process.argv.slice(2);
if (!names.includes(name)) {
  console.error(`Usage: npm run example -- NAME, where NAME is one of: ${names.join(", ")}`);
  process.exit(2);
}

const { outputFiles } = await build({
  entryPoints: [path.join(here, `${name}.ts`)],
  bundle: true,
  write: false,
  platform: "node",
  format: "esm",
  target: "node20",
  external: ["acp-sidecar"],
});
const { status } = spawnSync(process.execPath, ["--input-type=module", "-"], {
  cwd: path.dirname(here),
  input: outputFiles[0].text,
  stdio: ["pipe", "inherit", "inherit"],
});
process.exit(status ?? 1);
