/** The completions, by the shells that read them. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { offersOf } from "../../src/cli/completion-places.ts";
import { powershellScript } from "../../src/cli/completion-scripts.ts";
import { cli, scratchFolder } from "./harness.ts";

const folder = scratchFolder();
const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

/** Not every machine has every shell: what is missing here is tested where it is. */
function isThere(shell: Shell): boolean {
  return spawnSync(shell, ["-c", "exit 0"]).status === 0;
}

/** What is offered for the last of the words. */
async function offered(shell: Shell, words: readonly string[]): Promise<string[]> {
  const file = path.join(folder, `completion.${shell}`);
  fs.writeFileSync(file, (await cli(["completion", shell])).out);
  const { stdout, stderr } = spawnSync(shell, ["-c", askers[shell](file), shell, ...words], {
    encoding: "utf8",
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: folder },
  });
  expect(stderr).toBe("");
  return stdout.split("\n").filter(Boolean);
}

const askers: Readonly<Record<Shell, (file: string) => string>> = {
  bash: (file) =>
    `source ${file}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _acp_sidecar; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // Its own machinery needs a terminal: what the script hands to it is looked at.
  zsh: (
    file,
  ) => `compdef() { true }; _describe() { print -l -- "\${(@P)@[-1]%%:*}" }; compadd() { shift; print -l -- "$@" }
    _files() { print files }; _default() { print default }; _normal() { print normal }
    source ${file}; words=("$@"); CURRENT=$#; _acp_sidecar`,
  fish: (file) =>
    `source ${file}; complete -C (string join -- ' ' $argv[2..-1]) | string replace -r '\\t.*' ''`,
};

const begunWith = (list: readonly string[], start: string) => list.filter((each) => each.startsWith(start));

describe.each(shells)("completion in %s", (shell) => {
  it.skipIf(!isThere(shell))("offers commands, then what stands behind them", async () => {
    const first = await offered(shell, ["acp-sidecar", ""]);
    for (const { name } of commands) expect(first).toContain(name.split(" ")[0]);
    const named = commands.flatMap(({ name }) => /^sessions (s.*)$/.exec(name)?.[1] ?? []);
    expect(begunWith(await offered(shell, ["acp-sidecar", "sessions", ""]), "s").sort()).toEqual(
      named.sort(),
    );
    expect(await offered(shell, ["acp-sidecar", "completion", ""])).toEqual(
      expect.arrayContaining(["bash", "zsh", "fish", "powershell"]),
    );
  });

  it.skipIf(!isThere(shell))("offers the flags of a command and the values of a choice", async () => {
    const flags = await offered(shell, ["acp-sidecar", "--store", "memory:", "sessions", "gc", "--"]);
    expect(flags).toEqual(expect.arrayContaining(["--older-than", "--store", "--json"]));
    expect(flags).not.toContain("--entries");
    expect(await offered(shell, ["acp-sidecar", "ls", "--"])).toContain("--limit");
    expect((await offered(shell, ["acp-sidecar", "--durability", ""])).sort()).toEqual([
      "full",
      "none",
      "turn",
    ]);
  });

  it.skipIf(!isThere(shell))("leaves an agent's command to the agent", async () => {
    const behind = await offered(shell, ["acp-sidecar", "doctor", "--", "agent", "--"]);
    expect(begunWith(behind, "--store")).toEqual([]);
  });
});

/** What the script for PowerShell says at a name: a list of texts, each of which ends at a quote that is not doubled. */
function powershellTexts(script: string, name: string): string[] {
  const line = script.split("\n").find((each) => each.trimStart().startsWith(`${name} = @(`)) ?? "";
  return Array.from(line.slice(line.indexOf("@(")).matchAll(/'((?:[^']|'')*)'/g), ([, text = ""]) =>
    text.replaceAll("''", "'"),
  );
}

/** PowerShell is not to be had from the registries that tests may use: its script is read, not run. */
describe("completion in PowerShell", () => {
  it("has at each place what other shells are offered there, each with its help", async () => {
    const { out } = await cli(["completion", "powershell"]);
    expect(out).toContain("Register-ArgumentCompleter -Native -CommandName acp-sidecar");
    const { places, valued } = offersOf(commands);
    for (const { at, words, flags } of places) {
      const offers = [
        ...words.map(({ word, help }) => [word, help || word]),
        ...flags.map(({ name, help }) => [`--${name}`, help || `--${name}`]),
      ];
      for (const place of at) expect(powershellTexts(out, `'${place}'`)).toEqual(offers.flat());
    }
    expect(powershellTexts(out, "$valued")).toEqual(valued.map(({ name }) => `--${name}`));
    expect(powershellTexts(out, "'--durability'")).toEqual(["none", "turn", "full"]);
  });

  it("closes what it opens, and holds its texts together, whatever the help says", () => {
    const help = 'it\'s @(odd) {here} $(and) `there` "too"';
    const places = [{ at: [""], words: [{ word: "a", help }], flags: [] }];
    const script = powershellScript({ places, valued: [] });
    expect(powershellTexts(script, "''")).toEqual(["", "a", help].slice(1));
    // In single quotes nothing is read but a doubled quote.
    const code = script
      .replace(/^#.*$/gm, "")
      .replace(/'(?:[^']|'')*'/g, "")
      .replace(/"[^"]*"/g, "");
    const open: string[] = [];
    const closing: Readonly<Record<string, string>> = { "(": ")", "{": "}", "[": "]" };
    for (const sign of code.match(/[(){}[\]]/g) ?? []) {
      if (sign in closing) open.push(closing[sign] ?? "");
      else expect(open.pop()).toBe(sign);
    }
    expect([open, /['"]/.test(code)]).toEqual([[], false]);
    // One pair alone would be taken for a list of two words.
    expect(script).toContain("    '' = @(,@('a', ");
  });
});

describe("completion", () => {
  it("has no script for what is no shell", async () => {
    expect(await cli(["completion", "fihs"])).toMatchObject({
      status: 2,
      err: expect.stringContaining("did you mean fish?") as string,
    });
  });
});
