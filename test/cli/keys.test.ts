/** `keys`, and what a store that is encrypted is to the other commands. */
import fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import { cli, scratchFolder } from "./harness.ts";

const folder = scratchFolder();
const words = "Xylophonemarker";

async function aPlainStore(name: string): Promise<string> {
  const url = `file:${join(folder, name)}`;
  const store = await openStore(url);
  const registry = new SessionRegistry({ store });
  const { id } = await registry.create({ cwd: "/home/ada/engine", title: words });
  await registry.addMessage(id, { role: "user", content: [{ type: "text", text: words }] });
  await registry.close();
  await store.close();
  return url;
}

async function aKey(name: string): Promise<string> {
  const file = join(folder, name);
  expect(await cli(["keys", "generate", "--out", file])).toMatchObject({ status: 0, err: "" });
  return `file:${file}`;
}

function filesWith(text: string, at: string): string[] {
  const files = fs.readdirSync(at, { recursive: true, encoding: "utf8" }).map((name) => join(at, name));
  return files.filter((file) => fs.statSync(file).isFile() && fs.readFileSync(file).includes(text));
}

describe("a plain store", () => {
  it("is copied into an encrypted one, in which every command works with the key, and none without", async () => {
    const [plain, key, sealed] = [await aPlainStore("plain"), await aKey("key"), join(folder, "sealed")];
    const at = ["--store", `file:${sealed}`];
    const withKey = [...at, "--encryption-key", key];
    const copied = await cli(["migrate", "--from", plain, "--to", `file:${sealed}`, "--encryption-key", key]);
    expect(copied).toMatchObject({ status: 0, err: "" });
    expect(filesWith(words, join(folder, "plain")).length).toBeGreaterThan(0);
    expect(filesWith(words, sealed)).toEqual([]);
    const cache = join(folder, "cache");
    // What is counted is kept elsewhere, with the folders.
    const kept = { env: { XDG_CACHE_HOME: cache } };
    expect(await cli(["usage", ...withKey], kept)).toMatchObject({ status: 0, err: "" });
    expect(fs.existsSync(cache)).toBe(false);
    await cli(["usage", "--store", plain], kept);
    expect(filesWith("/home/ada/engine", cache)).toHaveLength(1);
    for (const command of [
      ["sessions", "ls"],
      ["search", words],
    ]) {
      expect([command, (await cli([...command, ...withKey])).out.includes(words)]).toEqual([command, true]);
      const refused = await cli([...command, ...at]);
      expect(refused).toMatchObject({ status: 5, out: "" });
      expect(refused.err).toMatch(/^acp-sidecar: The store is encrypted with key [0-9a-f]{12}, .*\n$/);
    }
    expect(await cli(["verify", ...withKey])).toMatchObject({ status: 0 });
    const copy = join(folder, "copy.db");
    expect(await cli(["backup", "--to", `sqlite:${copy}`, ...withKey])).toMatchObject({ status: 0, err: "" });
    // Copies of the same kind know nothing of keys, and count no session more.
    for (const [from, to] of [
      [`file:${sealed}`, `file:${join(folder, "same")}`],
      [`sqlite:${copy}`, `sqlite:${join(folder, "same.db")}`],
    ] as const)
      expect((await cli(["backup", "--store", from, "--to", to])).out).toMatch(/^1 session copied, /);
    expect(filesWith(words, folder).every((file) => file.startsWith(join(folder, "plain")))).toBe(true);
    const back = `file:${join(folder, "plain-again")}`;
    const plainAgain = [
      "migrate",
      "--from",
      `sqlite:${copy}`,
      "--to",
      back,
      "--encryption-key",
      key,
      "--plain",
    ];
    expect(await cli(plainAgain)).toMatchObject({ status: 0, err: "" });
    expect((await cli(["sessions", "ls", "--store", back])).out).toContain(words);
  });

  it("is not taken for an encrypted one", async () => {
    const [plain, key] = [await aPlainStore("not-sealed"), await aKey("other-key")];
    const refused = await cli(["sessions", "ls", "--store", plain, "--encryption-key", key]);
    expect(refused).toMatchObject({ status: 5, out: "" });
    expect(refused.err).toContain("acp-sidecar migrate");
    expect((await cli(["keys", "status", "--store", plain])).out).toBe("The store is not encrypted\n");
  });
});

describe("keys", () => {
  it("are made where nobody else can read them, and never written over", async () => {
    const file = join(folder, "made");
    await cli(["keys", "generate", "--out", file]);
    const made = fs.readFileSync(file, "utf8");
    expect([made.length, fs.statSync(file).mode & 0o777]).toEqual([45, 0o600]);
    expect(await cli(["keys", "generate", "--out", file])).toMatchObject({ status: 2, out: "" });
    expect(fs.readFileSync(file, "utf8")).toBe(made);
    const printed = await cli(["keys", "generate"]);
    expect(Buffer.from(printed.out, "base64")).toHaveLength(32);
    expect(printed.out).not.toBe(made);
  });

  it("rotate, and tell which one is wanted", async () => {
    const [first, second] = [await aKey("first"), await aKey("second")];
    const store = ["--store", `file:${join(folder, "rotated")}`];
    await cli([
      "migrate",
      "--from",
      await aPlainStore("to-rotate"),
      "--to",
      store[1] ?? "",
      "--encryption-key",
      first,
    ]);
    const both = ["--encryption-key", second, "--previous-keys", first];
    expect((await cli(["keys", "status", ...store, ...both])).out).toMatch(
      /the configured one is \w+: rotate\n$/,
    );
    expect((await cli(["keys", "rotate", ...store, ...both])).out).toMatch(
      /rotated 1 time; this is the configured one/,
    );
    expect((await cli(["sessions", "ls", ...store, "--encryption-key", second])).out).toContain(words);
    expect(await cli(["sessions", "ls", ...store, "--encryption-key", first])).toMatchObject({ status: 5 });
    expect((await cli(["keys", "rotate", ...store])).err).toContain("--encryption-key");
    expect((await cli(["config", ...store, "--encryption-key", "command:pass show secret"])).out).toMatch(
      /encryptionKey +command:pass …/,
    );
    const wrong = await cli(["sessions", "ls", ...store, "--encryption-key", "mykey"]);
    expect(wrong).toMatchObject({ status: 2 });
    expect(wrong.err).toContain("allowed: file:PATH, env:NAME or command:PROGRAM");
    // Who gives the key itself does not find it in a log.
    expect(wrong.err).not.toContain("mykey");
    // A name with the end of a line in it cuts nothing off.
    const lost = await cli(["sessions", "ls", ...store, "--encryption-key", "file:/a\nb"]);
    expect(lost.err).toMatch(/^acp-sidecar: The key's file \/a b cannot be read: ENOENT.*\n$/);
  });
});
