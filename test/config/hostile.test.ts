/** Whatever a configuration holds: it is one, or one line says what is wrong, without quoting what is secret. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { isSidecarError } from "../../src/base/errors.ts";
import { loadConfig, type LoadedConfig } from "../../src/config/load.ts";
import { optionNames, variableOf } from "../../src/config/options.ts";
import { surroundings } from "../../src/config/paths.ts";
import { mutate, randomFrom } from "../torture/fuzz/mutate.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-config-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const file = path.join(folder, "config.json");

const secret = "hunter2hunter2";
const whole = JSON.stringify(
  {
    store: `postgres://me:${secret}@localhost/db`,
    encryptionKey: "env:KEY",
    previousKeys: ["file:old.key"],
    durability: "full",
    onBusy: "idle",
    cancelGrace: "3s",
    idleTimeout: "1h",
    retention: "30d",
    maxSessions: 10,
    maxMessageBytes: "8MiB",
    agentRestarts: 3,
    logLevel: "info",
    logFile: "a.log",
    agent: { command: "opencode", args: ["acp", `--key=${secret}`], env: { API_KEY: secret } },
  },
  undefined,
  1,
);

async function tried(sources: { readonly text?: string; readonly env?: Record<string, string> }) {
  if (sources.text !== undefined) fs.writeFileSync(file, sources.text);
  const at = { ...surroundings({}), env: sources.env ?? {} };
  try {
    return await loadConfig({
      flags: {},
      ...(sources.text !== undefined && { file }),
      surroundings: at,
    });
  } catch (error) {
    if (!isSidecarError(error, "CONFIG_INVALID")) throw error;
    return error.message;
  }
}

function isOneOrSaysWhy(found: LoadedConfig | string): void {
  expect((Object.prototype as Record<string, unknown>)["x"]).toBeUndefined();
  if (typeof found !== "string") return void expect(Object.isFrozen(found.config)).toBe(true);
  expect(found).not.toMatch(/\n/);
  expect(found).not.toContain(secret);
  expect(found.length).toBeLessThan(4_000);
}

describe("a configuration of any kind [issue 11.6]", () => {
  it("as a file that went wrong", async () => {
    expect(await tried({ text: whole })).toMatchObject({ config: { maxSessions: 10 } });
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) =>
        isOneOrSaysWhy(await tried({ text: mutate(randomFrom(seed), whole) })),
      ),
      { numRuns: 100 },
    );
  });

  it("with any value for any option, in the file and in the environment", async () => {
    const value = fc.oneof(
      fc.json({ maxDepth: 4 }),
      fc.string().map((text) => JSON.stringify(text)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...optionNames, "agent" as const), value, async (name, json) => {
        isOneOrSaysWhy(await tried({ text: `{${JSON.stringify(name)}:${json}}` }));
        isOneOrSaysWhy(await tried({ env: { [variableOf(name)]: json } }));
      }),
      { numRuns: 100 },
    );
  });

  it("is told without the password of what was meant as a URL", async () => {
    for (const store of [`me:${secret}@localhost/db`, ["memory:", `${secret}@localhost`], { a: 1 }])
      isOneOrSaysWhy(await tried({ text: JSON.stringify({ store }) }));
  });

  it("is told on one line, whatever an option is called", async () => {
    isOneOrSaysWhy(await tried({ text: JSON.stringify({ "a\nb\u2028\u001b[2J": 1 }) }));
  });

  it("as deep and as long as it likes", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    for (const text of [
      deep,
      `{"store":${deep}}`,
      `{"agent":{"command":"x","env":{"A":${deep}}}}`,
      `{"x":"${"y".repeat(1_000_000)}"}`,
      `{"${"y".repeat(1_000_000)}":1}`,
      `{"store":"${"y".repeat(1_000_000)}"}`,
      `{"logLevel":"${"y".repeat(1_000_000)}"}`,
    ])
      isOneOrSaysWhy(await tried({ text }));
  });
});
