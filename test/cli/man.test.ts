import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { manPage } from "../../src/cli/man.ts";
import { optionNames, variableOf } from "../../src/config/options.ts";

/** What a program that shows manual pages makes of it; undefined where there is none. */
function shownBy(command: string, args: readonly string[]): string | undefined {
  const env = { ...process.env, MANWIDTH: "80", LC_ALL: "C.UTF-8" };
  const { status, stdout, error } = spawnSync(command, args, {
    input: manPage("1.2.3"),
    encoding: "utf8",
    env,
  });
  if (error !== undefined) return undefined;
  expect(status).toBe(0);
  return stdout.replace(/.\u0008/g, "");
}

describe("the manual page", () => {
  it("has every command with its flags, every option and every exit status", () => {
    const page = manPage("1.2.3").replaceAll("\\-", "-");
    for (const { name, flags } of commands) {
      expect(page).toContain(`.SS ${name}`);
      for (const flag of flags) expect(page).toContain(`.B --${flag.name}`);
    }
    for (const name of optionNames) expect(page).toContain(`.B ${variableOf(name)}`);
    for (const status of [0, 1, 2, 3, 4, 5, 6, 130]) expect(page).toContain(`.TP\n.B ${status}\n`);
  });

  it("is one that man and mandoc understand", () => {
    const warnings = spawnSync("mandoc", ["-Tlint", "-Wwarning"], {
      input: manPage("1.2.3"),
      encoding: "utf8",
    });
    if (warnings.error === undefined) expect(warnings.stdout.replace(/^.*missing date.*\n/m, "")).toBe("");
    for (const shown of [shownBy("man", ["-l", "-"]), shownBy("mandoc", ["-Tutf8"])]) {
      if (shown === undefined) continue;
      expect(shown).toContain("acp-sidecar - keeps the sessions of coding agents");
      expect(shown).toMatch(/^ +sessions +show +ID/m);
      expect(shown).toContain("acp-sidecar 1.2.3");
    }
  });
});
