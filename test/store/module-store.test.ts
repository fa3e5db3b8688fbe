import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStore } from "../../src/store/open.ts";
import { aSession, rejectsWith } from "../conformance/samples.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "acp-sidecar-module-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function moduleOf(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

const operations = `create: async () => ({ id: "made" }), get: async () => undefined, append: async () => 1,
  read: async function* () {}, acquire: async () => ({}), flush: async () => {}, close: async () => {}`;

describe("a store of somebody's own", () => {
  it.each([
    ["openStore", "export const openStore ="],
    ["a default function", "export default"],
  ])("is opened by %s of its file, with what stands behind the question mark", async (name, exported) => {
    const file = await moduleOf(
      `${name}.mjs`,
      `${exported} ({ shelf, row }) => ({ name: shelf + row, ${operations} });`,
    );
    const store = await openStore(`module:${file}?shelf=a&row=7`);
    expect([store.name, await store.create(aSession())]).toEqual(["a7", { id: "made" }]);
  });

  it.each([
    ["is not there", undefined, "CONFIG_INVALID", /cannot be loaded/],
    ["is no program", "export const = 1", "CONFIG_INVALID", /cannot be loaded/],
    ["exports nothing to call", "export const openStore = 1", "CONFIG_INVALID", /exports no function/],
    ["opens nothing", "export default () => undefined", "CONFIG_INVALID", /has opened no store/],
    ["opens half a store", "export default () => ({ get() {} })", "CONFIG_INVALID", /has opened no store/],
    ["throws", "export default () => { throw new Error('no\\nshelf') }", "STORE_UNAVAILABLE", /store: no$/],
  ] as const)("that %s is refused in one line", async (name, text, code, message) => {
    const file = join(folder, `${name}.mjs`);
    if (text !== undefined) await moduleOf(`${name}.mjs`, text);
    const opening = openStore(`module:${file}?password=secret`);
    await rejectsWith(code, opening);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.not.toThrow(/secret|\n/);
  });

  it("needs a path", () => rejectsWith("CONFIG_INVALID", openStore("module:?a=b")));
});
