/** The completions, by the shells that read them. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { cli, scratchFolder } from "./harness.ts";

const folder = scratchFolder();
const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

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

describe("completion", () => {
  it("has a script for PowerShell with all commands, and none for what is no shell", async () => {
    const { out } = await cli(["completion", "powershell"]);
    expect(out).toContain("Register-ArgumentCompleter -Native -CommandName acp-sidecar");
    for (const { name } of commands) expect(out).toContain(`'${name}' = @(@('`);
    expect(await cli(["completion", "fihs"])).toMatchObject({
      status: 2,
      err: expect.stringContaining("did you mean fish?") as string,
    });
  });
});
