import { spawnSync } from "node:child_process";
import fs from "node:fs";
import module from "node:module";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { binary, scratchFolder } from "../cli/harness.ts";

function version(cache: string) {
  const env = { ...process.env, XDG_CACHE_HOME: cache, NODE_V8_COVERAGE: "", NODE_COMPILE_CACHE: "" };
  return spawnSync(process.execPath, [binary, "--version"], { env, encoding: "utf8" });
}

describe("the compiled program", () => {
  // Nodes before 22.8 cannot.
  it.skipIf(!("enableCompileCache" in module) || process.platform !== "linux")(
    "is kept in the user's cache folder, and nowhere else",
    () => {
      const cache = scratchFolder();
      expect(version(cache)).toMatchObject({ status: 0, stderr: "" });
      expect(fs.readdirSync(cache)).toEqual(["acp-sidecar"]);
      expect(fs.readdirSync(path.join(cache, "acp-sidecar"))).toEqual(["code"]);
      expect(fs.statSync(path.join(cache, "acp-sidecar")).mode & 0o777).toBe(0o700);
      expect(fs.readdirSync(path.join(cache, "acp-sidecar/code"))).not.toEqual([]);
    },
  );

  it("is no condition: what cannot be kept is compiled anew, in silence", () => {
    const folder = scratchFolder();
    fs.writeFileSync(path.join(folder, "file"), "");
    expect(version(path.join(folder, "file"))).toMatchObject({ status: 0, stderr: "" });
  });
});
