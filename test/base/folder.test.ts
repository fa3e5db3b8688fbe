import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { folderOf, isAbsoluteFolder, isSameFolder, ownSpelling } from "../../src/base/folder.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "acp-sidecar-folder-")));
afterAll(() => rmSync(root, { recursive: true }));

describe("one folder", () => {
  it("is the same by a link to it, by its real path, and with a slash at its end", () => {
    mkdirSync(join(root, "real", "deep"), { recursive: true });
    symlinkSync(join(root, "real"), join(root, "link"));
    expect(folderOf(join(root, "link", "deep"))).toBe(join(root, "real", "deep"));
    expect(isSameFolder(join(root, "link/"), join(root, "real"))).toBe(true);
    expect(isSameFolder(join(root, "link"), join(root, "real", "deep"))).toBe(false);
  });

  it("that is not there any more is known by the links above it", () => {
    expect(folderOf(join(root, "link", "gone", "project"))).toBe(join(root, "real", "gone", "project"));
  });

  it("is the same composed and decomposed", () => {
    mkdirSync(join(root, "caf\u00e9"));
    expect(folderOf(join(root, "cafe\u0301"))).toBe(join(root, "caf\u00e9"));
    mkdirSync(join(root, "re\u0301sume\u0301"));
    expect(isSameFolder(join(root, "re\u0301sume\u0301"), join(root, "r\u00e9sum\u00e9"))).toBe(true);
    expect(isSameFolder(join(root, "go\u0308ne"), join(root, "g\u00f6ne"))).toBe(true);
  });

  it("of Windows has one drive letter and one kind of slash, and is a mount under WSL", () => {
    expect(folderOf("c:/Users/me/", "win32")).toBe("C:\\Users\\me");
    expect(folderOf("C:\\Users\\me\\project", "linux")).toBe("/mnt/c/Users/me/project");
    expect(folderOf("/srv/a\\b", "linux")).toBe("/srv/a\\b");
    expect(ownSpelling("C:\\Users\\me", "linux")).toBe("/mnt/c/Users/me");
    expect(ownSpelling("/srv/a/", "linux")).toBe("/srv/a/");
    expect(["C:\\a", "c:/a", "/a", "a", "C:a", ""].map((each) => isAbsoluteFolder(each, "linux"))).toEqual([
      ...[true, true, true],
      ...[false, false, false],
    ]);
  });
});
