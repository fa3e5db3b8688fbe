/** The program as a shell starts it. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { binary, scratchFolder } from "./harness.ts";

const folder = scratchFolder();

describe("the program", () => {
  it("says in one line that it is not built", () => {
    const copy = path.join(folder, "bin", "acp-sidecar.js");
    fs.mkdirSync(path.dirname(copy));
    fs.copyFileSync(binary, copy);
    fs.writeFileSync(path.join(folder, "package.json"), '{"type":"module"}');
    const { status, stderr } = spawnSync(process.execPath, [copy, "--version"], { encoding: "utf8" });
    expect([status, stderr]).toEqual([1, "acp-sidecar is not built yet; run: npm run build\n"]);
  });

  it("ends quietly when its reader goes away", () => {
    const script = `"${process.execPath}" "${binary}" --help | true`;
    const { stderr } = spawnSync("/bin/sh", ["-c", script], { encoding: "utf8" });
    expect(stderr).toBe("");
  });

  it.runIf(fs.existsSync("/dev/full"))("fails where what it says does not get to its place", () => {
    for (const argv of ["--help", "--version", "sessions ls --json --store memory:"]) {
      const script = `"${process.execPath}" "${binary}" ${argv} > /dev/full`;
      const { status, stderr } = spawnSync("/bin/sh", ["-c", script], { encoding: "utf8" });
      const said = "what was to go to stdout could not be written whole: the disk is full";
      expect([argv, status, stderr]).toEqual([argv, 1, `acp-sidecar: ${said}\n`]);
    }
  });
});
