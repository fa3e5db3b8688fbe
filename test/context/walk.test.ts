/** A walk for files that have come to a folder: what was there before is passed by, and links and mounts are not followed. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { NearFolders } from "../../src/context/near-folders.ts";
import { Walk } from "../../src/context/walk.ts";

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-walk-")));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));
const at = (name: string) => path.join(root, name);

function write(...names: readonly string[]): void {
  for (const name of names) {
    fs.mkdirSync(path.dirname(at(name)), { recursive: true });
    fs.writeFileSync(at(name), name);
  }
}

/** A time that everything that is there is older than. */
function now(): number {
  fs.writeFileSync(at("mark"), "");
  const before = fs.statSync(at("mark")).ctimeMs;
  for (;;) {
    fs.writeFileSync(at("mark"), "");
    const { ctimeMs } = fs.statSync(at("mark"));
    if (ctimeMs > before) return ctimeMs;
  }
}

async function found(gone: string, sinceMs: number, near: NearFolders): Promise<readonly string[]> {
  const walk = new Walk([root], { files: [at(gone)], sinceMs }, near, 60_000);
  await walk.run();
  return walk.found().map((file) => path.relative(root, file));
}

describe("a walk for files that are gone [issue 13.3]", () => {
  it("names those of folders where something has come, and of folders that have come, by likeness", async () => {
    write("mark", "src/x/a.ts", "old/deep/a.ts", "old/b.ts", "lib/deep/er/c.ts");
    write(".git/a.ts", "node_modules/m/a.ts");
    fs.symlinkSync(at("old"), at("link"));
    const sinceMs = now();
    fs.renameSync(at("src/x"), at("lib/deep/er/x"));
    write("old/deep/d.ts");
    const near = (kind: string) => new NearFolders([[root, root]], new Map([["/", kind]]));
    const fresh = ["old/deep/a.ts", "lib/deep/er/x/a.ts", "mark", "old/deep/d.ts", "lib/deep/er/c.ts"];
    const named = await found("src/x/a.ts", sinceMs, near("ext4"));
    expect(named.slice(0, 2).sort()).toEqual(fresh.slice(0, 2).sort());
    expect([...named].sort()).toEqual(fresh.sort());
    // Another machine's times are not believed.
    const all = await found("src/x/a.ts", sinceMs, near("nfs4"));
    expect([...all].sort()).toEqual([...fresh, "node_modules/m/a.ts", "old/b.ts"].sort());
  });

  it("goes into nothing that is mounted from elsewhere", async () => {
    write("mark", "mounted/a.ts", "own/a.ts");
    const mounts = new Map([
      ["/", "ext4"],
      [at("mounted"), "nfs4"],
      [at("own"), "tmpfs"],
    ]);
    const named = await found("gone/a.ts", 0, new NearFolders([[root, root]], mounts));
    expect(named).toContain("own/a.ts");
    expect(named).not.toContain("mounted/a.ts");
  });
});
