/** `import append from "./append.lua"` in bundles and tests: the script's text and the SHA-1 that servers know it by. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

/** Plugin of esbuild. */
export const luaInBundles = {
  name: "lua",
  setup: ({ onLoad }) => onLoad({ filter: /\.lua$/ }, (file) => ({ contents: moduleOf(file.path) })),
};

/** Plugin of vitest. */
export const luaInTests = {
  name: "lua",
  load: (id) => (id.endsWith(".lua") ? moduleOf(id) : undefined),
};

function moduleOf(file) {
  const text = textOf(file);
  return `export default ${JSON.stringify({ text, sha: createHash("sha1").update(text).digest("hex") })};`;
}

/** With what its lines `-- include FILE` name in their place, without comments. */
function textOf(file) {
  return fs
    .readFileSync(file, "utf8")
    .replace(/^-- include (.+)\n/gm, (_, name) => textOf(path.join(path.dirname(file), name)))
    .replace(/^ *--.*\n/gm, "");
}
