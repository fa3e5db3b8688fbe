/** The benchmark is not run here; that it starts and names what it measures is. */
import { execFileSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const run = path.join(path.dirname(fileURLToPath(import.meta.url)), "../bench/run.mjs");

it("the benchmark says what it measures", () => {
  const help = execFileSync(process.execPath, [run, "--help"], { encoding: "utf8" });
  for (const name of [
    "start",
    "round-trip",
    "streaming",
    "memory",
    "load",
    "big-session",
    "append",
    "encrypted",
    "chain",
  ]) {
    expect(help).toContain(name);
  }
});
