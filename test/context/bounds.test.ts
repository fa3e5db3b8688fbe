/** Folders of a network that hang cost a moment once, and nothing for a while after that. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { Bounds } from "../../src/context/bounds.ts";

const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-bounds-")));
afterAll(() => fs.rmSync(folder, { recursive: true }));

describe("a folder that does not answer [issue 13]", () => {
  it("is left alone, and its files are named", async () => {
    vi.useFakeTimers();
    try {
      let asked = 0;
      const silent = () => {
        asked += 1;
        return new Promise(() => undefined);
      };
      const root = path.join(folder, "silent");
      const first = Bounds.of([root], silent);
      await vi.advanceTimersByTimeAsync(1_100);
      const bounds = await first;
      expect([bounds.answers(root), await bounds.unread(path.join(root, "a"))]).toEqual([
        false,
        "unanswered",
      ]);
      await Bounds.of([root], silent);
      expect(asked).toBe(1);
      await vi.advanceTimersByTimeAsync(61_000);
      expect((await Bounds.of([root], async () => undefined)).answers(root)).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is another thing than one that is gone, or that may not be looked into", async () => {
    const gone = path.join(folder, "gone");
    const bounds = await Bounds.of([gone]);
    expect([bounds.answers(gone), await bounds.unread(path.join(gone, "a"))]).toEqual([true, undefined]);
  });

  it("files are asked for at once only where they lie within, and are no links", async () => {
    fs.mkdirSync(path.join(folder, "in", "secrets"), { recursive: true });
    fs.symlinkSync("/", path.join(folder, "in", "out"));
    fs.writeFileSync(path.join(folder, "in", "a"), "a");
    fs.symlinkSync("a", path.join(folder, "in", "link"));
    fs.writeFileSync(path.join(folder, "in", "secrets", "a"), "a");
    const files = ["in/a", "in/none", "in/link", "in/secrets/a", "in/out/etc/hostname", "none/a"];
    const all = files.map((name) => path.join(folder, name));
    const bounds = await Bounds.of([folder]);
    await bounds.prepare([...all, "/etc/hostname", "bad\0name"]);
    const looks = [...all, "/etc/hostname"].map((file) => bounds.glance(file));
    const seen = process.platform === "linux" ? [{ size: 1 }, "absent"] : [undefined, undefined];
    expect(looks).toMatchObject([...seen, undefined, undefined, undefined, undefined, undefined]);
  });
});
