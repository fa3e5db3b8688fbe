/** A file has the bytes of its text, however the text comes in pieces. */
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { saveText } from "../../../src/history/export/save.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "save-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));

async function* each(pieces: readonly string[]): AsyncGenerator<string> {
  yield* pieces;
}

const wide = "語😀é".repeat(30_000);

test.each([
  ["small ones", Array.from({ length: 50_000 }, (_, at) => `✓ line ${at}\n`)],
  ["ones larger than a write", [wide, "a", wide.repeat(3), "", "é".repeat(300_000)]],
  ["halves of a character", ["a\ud83d", "\ude00b\ud83d", "", "\ude00", wide, "c\ud83d"]],
  ["none", []],
])("the bytes of pieces: %s", async (_, pieces) => {
  const place = path.join(folder, `${pieces.length}.txt`);
  const bytes = await saveText(place, each(pieces));
  const written = fs.readFileSync(place);
  expect(written.equals(Buffer.from(pieces.join("")))).toBe(true);
  expect(bytes).toBe(written.length);
});

test.each([false, true])("what is no file stays as it is, also with force: %s", async (force) => {
  const place = path.join(folder, `pipe-${force}`);
  const server = net.createServer().listen(place);
  await once(server, "listening");
  await expect(saveText(place, each(["a"]), { force })).rejects.toMatchObject({
    code: "FILE_FAILED",
    message: `${place} is no file, and stays as it is; name another`,
  });
  expect(fs.lstatSync(place).isSocket()).toBe(true);
  expect(fs.readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  server.close();
});
