/** Writes schemas/ from the zod schemas in src/; with --check only says whether they are fresh. */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const bundle = path.join(root, "node_modules", `.schemas-${process.pid}.mjs`);

await build({
  absWorkingDir: root,
  stdin: {
    contents: `
      export { toJSONSchema } from "zod/mini";
      export { configFileSchema } from "./src/config/schema.ts";
      export { entrySchema, sessionRecordSchema } from "./src/session/schema.ts";`,
    resolveDir: root,
  },
  bundle: true,
  format: "esm",
  platform: "node",
  outfile: bundle,
  logLevel: "warning",
});
const { toJSONSchema, configFileSchema, entrySchema, sessionRecordSchema } = await import(
  pathToFileURL(bundle)
);
fs.rmSync(bundle);

const schemas = {
  config: [configFileSchema(), "Configuration file of acp-sidecar"],
  entry: [entrySchema, "Journal entry of acp-sidecar"],
  session: [sessionRecordSchema, "Session record of acp-sidecar"],
};
const jsonSchemaOf = ([schema, title]) => ({ title, ...toJSONSchema(schema, { io: "input" }) });

const stale = [];
for (const [name, source] of Object.entries(schemas)) {
  const file = path.join(root, "schemas", `${name}.json`);
  const text = `${JSON.stringify(jsonSchemaOf(source), undefined, 2)}\n`;
  if (fs.existsSync(file) && fs.readFileSync(file, "utf8") === text) continue;
  stale.push(path.relative(root, file));
  if (!process.argv.includes("--check")) fs.writeFileSync(file, text);
}
const done = process.argv.includes("--check") ? "not fresh, run: npm run schemas" : "written";
if (stale.length > 0) process.stderr.write(`${stale.join(", ")}: ${done}\n`);
process.exitCode = process.argv.includes("--check") && stale.length > 0 ? 1 : 0;
