/** The pages for users: their commands run as they stand there, their JSON is taken, their links lead somewhere. */
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withoutComments } from "../../src/config/comments.ts";
import { configFileSchema } from "../../src/config/schema.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = ["README.md", ...fs.readdirSync(path.join(root, "docs")).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith(".md"),
);
let machine: string;

/** A machine on which the sidecar and OpenCode are installed, or what answers like it, and one conversation was had. */
beforeAll(() => {
  machine = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-docs-"));
  const programs = { "acp-sidecar": "bin/acp-sidecar.js", opencode: "test/fixtures/agents/agent.mjs" };
  fs.mkdirSync(path.join(machine, "bin"));
  for (const [name, file] of Object.entries(programs)) {
    const args = name === "opencode" ? "" : '"$@"';
    const script = `#!/bin/sh\nexec "${process.execPath}" "${path.join(root, file)}" ${args}\n`;
    fs.writeFileSync(path.join(machine, "bin", name), script, { mode: 0o755 });
  }
});
afterAll(() => fs.rmSync(machine, { recursive: true, force: true }));

/** A page is a story: its blocks run one after the other in one folder, with one home. */
function storyOf(page: string): { env: NodeJS.ProcessEnv; cwd: string } {
  const home = fs.mkdtempSync(path.join(machine, "home-"));
  const cwd = path.join(home, "project");
  fs.mkdirSync(cwd);
  const env = { PATH: `${path.join(machine, "bin")}:${process.env["PATH"]}`, HOME: home, PAGER: "cat" };
  const store = page === "docs/stores.md" ? { ACP_SIDECAR_STORE: "file:./sessions" } : {};
  const story = { cwd, env: { ...env, ...store } };
  const calls = [
    ["initialize", { protocolVersion: 1 }],
    ["session/new", { cwd, mcpServers: [] }],
  ].map(([method, params], id) => JSON.stringify({ jsonrpc: "2.0", id, method, params }));
  const said = execFileSync("acp-sidecar", { ...story, input: `${calls.join("\n")}\n`, encoding: "utf8" });
  const { sessionId } = (
    JSON.parse(said.trim().split("\n").at(-1) ?? "") as { result: { sessionId: string } }
  ).result;
  const prompt = { sessionId, prompt: [{ type: "text", text: "How do I begin?" }] };
  const more = [
    calls[0],
    JSON.stringify({ jsonrpc: "2.0", id: 2, method: "session/prompt", params: prompt }),
  ];
  execFileSync("acp-sidecar", { ...story, input: `${more.join("\n")}\n` });
  return story;
}

function blocksOf(page: string, language: string): string[] {
  const text = fs.readFileSync(path.join(root, page), "utf8");
  return Array.from(
    text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms")),
    ([, block = ""]) => block,
  );
}

/** Their stories are long, and what they tell of has tests of its own. */
const long = new Set([
  "docs/configuration.md",
  "docs/context.md",
  "docs/figures.md",
  "docs/history.md",
  "docs/http.md",
  "docs/operations.md",
  "docs/privacy.md",
  "docs/security.md",
  "docs/sessions.md",
  "docs/stores.md",
]);

// The commands are for a POSIX shell.
describe.skipIf(process.platform === "win32")("the commands of", () => {
  for (const page of pages.filter((name) => blocksOf(name, "sh").length > 0)) {
    it(`${page} do what they say`, { timeout: 300_000, tags: long.has(page) ? ["long"] : [] }, () => {
      const story = storyOf(page);
      // Not everybody has jq.
      const jq = spawnSync("jq", ["--version"]).error === undefined ? blocksOf(page, "sh with-jq") : [];
      for (const block of [...blocksOf(page, "sh"), ...jq]) {
        const { status, stderr } = spawnSync("bash", ["-e", "-o", "pipefail", "-c", block], {
          ...story,
          encoding: "utf8",
        });
        expect({ block, status, stderr }).toEqual({ block, status: 0, stderr: "" });
      }
    });
  }
});

it("a configuration that is shown is one", () => {
  const shown = blocksOf("docs/configuration.md", "json");
  expect(shown.length).toBeGreaterThan(0);
  for (const text of shown)
    expect(configFileSchema().safeParse(JSON.parse(withoutComments(text))).error).toBeUndefined();
});

it("the tests that docs/security.md answers with are there", () => {
  const text = fs.readFileSync(path.join(root, "docs/security.md"), "utf8");
  const named = Array.from(text.matchAll(/`(test\/[\w./-]+)`/g), ([, file = ""]) => file);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((file) => !fs.existsSync(path.join(root, file)))).toEqual([]);
});

it.each(pages)("the links of %s lead somewhere", (page) => {
  const text = fs.readFileSync(path.join(root, page), "utf8");
  const links = Array.from(
    text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g),
    ([, file = "", part]) => ({ file, part }),
  );
  const lost = links.filter(({ file, part }) => {
    const target =
      file === "" ? path.join(root, page) : path.resolve(path.dirname(path.join(root, page)), file);
    if (!fs.existsSync(target)) return true;
    if (part === undefined) return false;
    const heads = Array.from(fs.readFileSync(target, "utf8").matchAll(/^#+ (.*)$/gm), ([, head = ""]) =>
      anchorOf(head),
    );
    return !heads.includes(part);
  });
  expect(lost).toEqual([]);
});

/** As Markdown's readers make them. */
function anchorOf(head: string): string {
  return head
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}
