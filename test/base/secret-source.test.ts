/** Commands that print keys and tokens, as far as they go wrong, and files that others may read. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { newSigningKey, signingKeyFrom, verifyingKeyFrom } from "../../src/audit/heads.ts";
import { textFrom } from "../../src/base/secret-source.ts";

/** The commands here are for a POSIX shell, and files there have no modes. */
const isWindows = process.platform === "win32";
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-secrets-"));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

describe.skipIf(isWindows)("a command that is to print a key", () => {
  const refused = async (command: string, timeoutMs = 30_000) => {
    const failed = await textFrom(`command:${command}`, "key", { timeoutMs }).catch(
      (error: unknown) => error,
    );
    expect(failed, command).toMatchObject({ code: "KEY_INVALID" });
    return (failed as Error).message;
  };

  it("and hangs, whatever it is sent, is ended in time and in words", async () => {
    const message = await refused("trap '' TERM INT; while :; do sleep 0.05; done; echo hunter2", 200);
    expect(message).toBe("The key's command has not ended within 0.2 s; run it by hand and see: trap");
    expect(await refused("sleep 5 | cat", 200)).toContain("has not ended within 0.2 s");
  });

  it("and prints what is no key, a gigabyte of it or two lines, is told as that, and what it said is not", async () => {
    expect(await refused("yes hunter2 | head -c 1000000000")).toMatch(/printed more than a key has; .* yes$/);
    expect(await refused("head -c 5000 /dev/zero")).toContain("printed more than a key has");
    expect(await refused("echo hunter2; echo hunter3")).toContain(
      "printed several lines, and must print the key alone",
    );
    for (const command of ["echo hunter2 >&2; exit 3", "exit 3"])
      expect(await refused(command)).toMatch(
        /^The key's command ended with 3; run it by hand and see: (echo|exit)$/,
      );
    expect(await refused("kill -9 $$")).toContain("ended with a signal");
    expect(await refused("/nowhere/at-all")).toContain("ended with 127");
  });

  it("may have much to say besides, on stderr", async () => {
    expect(await textFrom("command:head -c 20000 /dev/zero >&2; echo key", "key")).toBe("key\n");
  });
});

describe.skipIf(isWindows)("a file that others can read", () => {
  const written = (name: string, text: string) => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text, { mode: 0o644 });
    return `file:${file}`;
  };

  it("is taken where a public key stands in it, and for nothing else", async () => {
    const { publicKey, privateKey } = newSigningKey();
    const pub = written("pub", publicKey);
    expect((await verifyingKeyFrom(pub)).type).toBe("public");
    await expect(signingKeyFrom(pub)).rejects.toMatchObject({
      message: expect.stringContaining("holds a public key") as string,
    });
    for (const [name, text] of [
      ["private", privateKey],
      ["both", publicKey + privateKey],
      ["raw", Buffer.alloc(32, 1).toString("base64")],
    ] as const)
      await expect(verifyingKeyFrom(written(name, text)), name).rejects.toMatchObject({
        code: "KEY_INVALID",
        message: expect.stringMatching(/can be read by others; run: chmod 600 /) as string,
      });
    await expect(textFrom(pub, "key")).rejects.toMatchObject({ code: "KEY_INVALID" });
  });
});
