import os from "node:os";
import { describe, expect, it } from "vitest";
import { principalFrom } from "../../src/base/principal-name.ts";
import { loadConfig } from "../../src/config/load.ts";
import { principalName } from "../../src/config/principal.ts";
import { checkSaid } from "../../src/config/said.ts";

const surroundings = { env: {}, platform: "linux", home: "/home/me" } as const;
const load = (flags: Record<string, string>, env: Record<string, string> = {}) =>
  loadConfig({ flags, surroundings: { ...surroundings, env } });

describe("a principal", () => {
  it("is the configured identity, else the user at this host", async () => {
    expect(principalName((await load({ identity: "ann" })).config)).toBe("ann");
    expect(principalName((await load({}, { ACP_SIDECAR_IDENTITY: "bob b." })).config)).toBe("bob b.");
    const { config } = await load({});
    expect(config.identity).toBeUndefined();
    expect(principalName(config)).toBe(`${os.userInfo().username}@${os.hostname()}`);
  });

  it("is one name in each of its spellings", async () => {
    const [composed, decomposed] = ["Zo\u00eb", "Zoe\u0308"];
    expect(composed).not.toBe(decomposed);
    expect((await load({ identity: decomposed })).config.identity).toBe(composed);
    expect((await load({ admins: decomposed })).config.admins).toEqual([composed]);
  });

  it.each([
    ["nothing but spaces", "   "],
    ["a space at its end", "ann "],
    ["a space of another script at its beginning", "\u00a0ann"],
    ["a line break", "ann\nroot"],
    ["an escape sequence", "ann\u001b[31m"],
    ["a mark of direction", "ann\u202e"],
    ["a letter of no width", "an\u200bn"],
    ["a letter that fills a place and shows nothing", "ann\u3164"],
    ["a mark that joins and shows nothing", "an\u034fn"],
    ["a choice of another form of a letter", "ann\ufe0f"],
    ["a pattern of Braille without a dot", "ann\u2800"],
    ["half a character", "ann\ud800"],
    ["too many characters", "a".repeat(129)],
    ["far too many", "a".repeat(1_000_000)],
  ])("has not %s", async (_, name) => {
    expect(principalFrom(name)).toBeUndefined();
    for (const flags of [{ identity: name }, { admins: name }]) {
      const refused = await load(flags as Record<string, string>).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "CONFIG_INVALID" });
      expect((refused as Error).message.length).toBeLessThan(500);
      expect((refused as Error).message).not.toMatch(/[\n\u001b\u202e]/);
    }
    expect(() => checkSaid({ identity: name }, "config")).toThrow(
      "config.identity must be a name of 1 to 128",
    );
    expect(() => checkSaid({ admins: ["ann", name] }, "config")).toThrow("config.admins must be");
  });

  it("may be of 128 characters of any script, with spaces and signs within", () => {
    for (const name of ["a", "a".repeat(128), "𝒜".repeat(128), "ann@example.com", "O'Neil, Ann", "山田 太郎"])
      expect(principalFrom(name)).toBe(name);
  });
});
