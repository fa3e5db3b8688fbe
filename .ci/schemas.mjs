/**
 * Writes schemas/ from the zod schemas in src/, the table of options in docs/configuration.md and that of figures in docs/figures.md from theirs; with
 * --check only says whether they are fresh.
 */
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
      export { allowedBy } from "./src/config/allowed.ts";
      export { flagOf, optionNames, options, variableOf } from "./src/config/options.ts";
      export { defaultOf } from "./src/cli/option-text.ts";
      export { counters, gauges, times } from "./src/figures/table.ts";
      export { configFileSchema } from "./src/config/schema.ts";
      export { exportSchema, listFilterSchema, searchSchema } from "./src/acp/schema.ts";
      export { rewindSchema, messagesSchema, ownMetaSchema } from "./src/acp/place-schema.ts";
      export { entrySchema, sessionRecordSchema } from "./src/session/schema.ts";`,
    resolveDir: root,
  },
  bundle: true,
  format: "esm",
  platform: "node",
  outfile: bundle,
  logLevel: "warning",
});
const sources = await import(pathToFileURL(bundle));
const { toJSONSchema, configFileSchema, entrySchema, sessionRecordSchema } = sources;
fs.rmSync(bundle);

const schemas = {
  config: [configFileSchema(), "Configuration file of acp-sidecar"],
  entry: [entrySchema, "Journal entry of acp-sidecar"],
  session: [sessionRecordSchema, "Session record of acp-sidecar"],
  search: [sources.searchSchema, "Params and result of _acp-sidecar/search"],
  rewind: [sources.rewindSchema, "Params and result of _acp-sidecar/rewind"],
  messages: [sources.messagesSchema, "Params and result of _acp-sidecar/messages"],
  meta: [sources.ownMetaSchema, "What acp-sidecar understands in _meta of ACP's methods"],
  export: [sources.exportSchema, "Params and result of _acp-sidecar/export"],
  list: [sources.listFilterSchema, "Filters of session/list in _meta of acp-sidecar"],
};
const jsonSchemaOf = ([schema, title]) => ({ title, ...toJSONSchema(schema, { io: "input" }) });

const stale = [];
for (const [name, source] of Object.entries(schemas)) {
  const file = path.join(root, "schemas", `${name}.json`);
  await put(file, `${JSON.stringify(jsonSchemaOf(source), undefined, 2)}\n`);
}
const { format } = await import("oxfmt");
const style = JSON.parse(fs.readFileSync(path.join(root, ".oxfmtrc.json"), "utf8"));
await putTable("docs/configuration.md", "options", optionTable(sources));
await putTable("docs/figures.md", "figures", figureTable(sources));

/** Between the two marks of a page. */
async function putTable(name, mark, table) {
  const file = path.join(root, name);
  const page = fs.readFileSync(file, "utf8");
  const before = page.slice(0, page.indexOf(`<!-- ${mark} -->`)) + `<!-- ${mark} -->\n`;
  const after = page.slice(page.indexOf(`<!-- /${mark} -->`));
  await put(file, (await format(file, `${before}\n${table}\n${after}`, style)).code);
}

async function put(file, text) {
  if (fs.existsSync(file) && fs.readFileSync(file, "utf8") === text) return;
  stale.push(path.relative(root, file));
  if (!process.argv.includes("--check")) fs.writeFileSync(file, text);
}

function figureTable({ counters, gauges, times }) {
  const row = (type) => (figure) => {
    const labels = Object.entries(figure.labels ?? {}).map(
      ([name, values]) => `\`${name}\`: ${values.join(", ")}`,
    );
    return [`\`${figure.name}\``, type, figure.help, labels.join("<br>") || "–"];
  };
  const rows = [
    ...Object.values(counters).map(row("counter")),
    ...Object.values(times).map(row("histogram")),
    ...Object.values(gauges).map(row("gauge")),
  ];
  const head = ["figure", "type", "what it is", "labels"];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function optionTable({ optionNames, options, allowedBy, defaultOf, flagOf, variableOf }) {
  const rows = optionNames.map((name) => {
    const option = options[name];
    const initially = defaultOf(option) ?? { store: "see below", logFile: "stderr" }[name] ?? "–";
    const cells = [`\`${name}\``, option.help, allowedBy(option.kind), initially];
    return [...cells, `\`--${flagOf(name)}\`<br>\`${variableOf(name)}\``];
  });
  const head = ["key", "what it says", "allowed", "default", "flag and variable"];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
const done = process.argv.includes("--check") ? "not fresh, run: npm run schemas" : "written";
if (stale.length > 0) process.stderr.write(`${stale.join(", ")}: ${done}\n`);
process.exitCode = process.argv.includes("--check") && stale.length > 0 ? 1 : 0;
