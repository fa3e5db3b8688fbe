/**
 * `import page from "../view/index.html"` in bundles and tests: the web view in one page, its script and style within it,
 * and the policy that lets a browser run and show these two and nothing else.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const view = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), "src/view");

/** Plugin of esbuild. */
export const viewInBundles = {
  name: "view",
  setup: ({ onLoad }) =>
    onLoad({ filter: /view[\\/]index\.html$/ }, async () => ({
      contents: await pageModule(),
      watchDirs: [view],
    })),
};

/** Plugin of vitest: the page by another name, because a server of pages wants to change those itself. */
export const viewInTests = {
  name: "view",
  enforce: "pre",
  resolveId: (id) => (id.endsWith("/view/index.html") ? "\0view" : undefined),
  load: (id) => (id === "\0view" ? pageModule() : undefined),
};

async function pageModule() {
  const all = ["first.ts", "main.ts", "style.css"].map(bundled);
  // esbuild has seen to it that nothing within ends it.
  const [first, script, style] = (await Promise.all(all)).map((text) => text.trim());
  const html = fs
    .readFileSync(path.join(view, "index.html"), "utf8")
    .replace(/>\s+</g, "><")
    .replace("<style></style>", () => `<style>${style}</style>`)
    .replace('<script id="first"></script>', () => `<script id="first">${first}</script>`)
    .replace('<script type="module"></script>', () => `<script type="module">${script}</script>`);
  return `export default ${JSON.stringify({ html, policy: policyFor([first, script], style) })};`;
}

/** Images are those that stand in messages. Nothing reads a text as HTML, and a browser that knows of it holds to that. */
function policyFor(scripts, style) {
  return [
    "default-src 'none'",
    `script-src ${scripts.map(hashOf).join(" ")}`,
    `style-src ${hashOf(style)}`,
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

function hashOf(text) {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

async function bundled(name) {
  const { outputFiles } = await build({
    entryPoints: [path.join(view, name)],
    absWorkingDir: view,
    bundle: true,
    // What is no module must leave nothing behind.
    format: name === "first.ts" ? "iife" : "esm",
    platform: "browser",
    target: ["chrome111", "firefox115", "safari16.4"],
    minify: true,
    charset: "utf8",
    legalComments: "none",
    write: false,
    logLevel: "warning",
  });
  return outputFiles[0].text;
}
