/**
 * The start of serve in few files. A bundler makes a chunk of whatever the same parts of the program load, and with
 * many parts there are many: Node takes longer to find and link them than to run what is in them.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";

/** What an editor waits for, with the store that is used unless another is configured. */
const waitedFor = ["src/cli/serve.ts", "src/sidecar.ts", "src/store/sql/sqlite/store.ts"];
/** Loaded before or without all that: an agent is launched, somebody reads the help. */
const small = ["src/cli/serve.ts", "src/cli/help.ts", "src/config/check.ts", "src/base/version.ts"];

/**
 * Makes one chunk of what serve loads: every other part of the program is to load all of it, too. Most need it anyhow.
 * @param inputs those of a build without it
 */
export function startInOnePiece(inputs, entry) {
  const parts = new Set(Object.values(inputs).flatMap((input) => importsOf(input, true)));
  const early = closureOf(inputs, [entry]);
  const isShared = (file) => file.startsWith("src/") && !early.has(file) && !parts.has(file);
  const shared = [...closureOf(inputs, waitedFor)].filter(isShared);
  return {
    name: "start-in-one-piece",
    setup({ onLoad, initialOptions: { absWorkingDir: root } }) {
      const imports = shared.map((file) => `import ${JSON.stringify(path.join(root, file))};\n`).join("");
      onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
        const name = path.relative(root, file).split(path.sep).join("/");
        if (!parts.has(name) || small.includes(name)) return undefined;
        return { contents: `${await readFile(file, "utf8")}\n${imports}`, loader: "ts" };
      });
    },
  };
}

/** Files and all that is loaded with them. */
function closureOf(inputs, files) {
  const found = new Set(files);
  for (const file of found) for (const next of importsOf(inputs[file], false)) found.add(next);
  return found;
}

function importsOf(input, isDynamic) {
  const inside = (input?.imports ?? []).filter(({ external }) => external !== true);
  return inside.filter(({ kind }) => (kind === "dynamic-import") === isDynamic).map((each) => each.path);
}
