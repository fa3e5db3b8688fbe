/** Files of the repository that are made, not written. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

describe("the lock file", () => {
  it("names no host", () => {
    expect(fs.readFileSync(path.join(root, "package-lock.json"), "utf8")).not.toMatch(
      /"resolved"|:\/\/registry/,
    );
  });
});

describe("schemas/", () => {
  it("is fresh", () => {
    const script = path.join(root, ".ci/schemas.mjs");
    const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
  });
});
