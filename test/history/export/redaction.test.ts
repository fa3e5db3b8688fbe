import { describe, expect, it } from "vitest";
import { withoutSecretShapes } from "../../../src/base/secret-shapes.ts";
import { Redaction } from "../../../src/history/export/redaction.ts";
import { entry } from "../talk.ts";

const token = (start: string) => `${start}a1B2c3D4e5F6g7H8i9J0`;

describe("what looks like a secret", () => {
  it.each([
    [`use ${token("sk-ant-")} now`, "use [redacted] now"],
    [`${token("ghp_")},${token("github_pat_")}`, "[redacted],[redacted]"],
    ["AKIAIOSFODNN7EXAMPLE1", "[redacted]"],
    ["Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer [redacted]"],
    ["cookie: sid=1234; a=b\nnext", "cookie: [redacted]\nnext"],
    ["DB_PASSWORD=hunter22\nPORT=80", "DB_PASSWORD=[redacted]\nPORT=80"],
    ['{"api_key": "abcdef12", "name": "x"}', '{"api_key": "[redacted]", "name": "x"}'],
    ["export TOKEN='a b c d'", "export TOKEN='[redacted]'"],
    ["postgres://me:pw1@host/db", "postgres://me:***@host/db"],
    ["a\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nb", "a\n[redacted]\nb"],
    ["-----BEGIN PRIVATE KEY-----\ncut off", "[redacted]"],
  ])("is taken out: %j", (text, safe) => {
    const cleaned = withoutSecretShapes(text);
    expect(cleaned.text).toBe(safe);
    expect(cleaned.places).toBeGreaterThan(0);
  });

  it.each([
    "const token: string = next();",
    "password = ask()",
    "max_tokens: 4096",
    "the sk-learn package, task-force-of-the-day-before",
    "-----BEGIN CERTIFICATE-----\nMII",
    "PATH=/usr/bin token=$TOKEN",
    "https://example.org/a?b=c#d",
  ])("is not seen in %j", (text) => {
    expect(withoutSecretShapes(text)).toEqual({ text, places: 0 });
  });

  it.each([
    "a=",
    "token=",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "sk-",
    "eyJ",
    'password="',
    "bearer ",
    "a.",
    "//a:",
    "cookie:\n",
    "x: ",
  ])("is looked for in linear time: %j", (part) => {
    const text = part.repeat(1_000_000 / part.length);
    const at = performance.now();
    withoutSecretShapes(text);
    expect(performance.now() - at).toBeLessThan(4000);
  });

  it("is taken out of entries, wherever it stands, and counted; what has none stays to the letter", () => {
    const redaction = new Redaction();
    const safe = (data: object) =>
      JSON.parse(redaction.entry({ ...entry("update", data), seq: 1 }).data) as unknown;
    expect(
      safe({ a: [{ env: [{ name: "API_KEY", value: "abcdefgh" }], b: { password: "abcd", __proto__: 1 } }] }),
    ).toEqual({
      a: [{ env: [{ name: "API_KEY", value: "[redacted]" }], b: { password: "[redacted]" } }],
    });
    expect(safe({ text: `see ${token("sk-")}` })).toEqual({ text: "see [redacted]" });
    expect(redaction.places).toBe(3);
    const plain = { seq: 1, kind: "update", atMs: 1, data: '{"n":1e21, "n":1.0}' } as const;
    expect(redaction.entry(plain)).toBe(plain);
    const deep = `${"[".repeat(100_000)}"${token("sk-")}"${"]".repeat(100_000)}`;
    expect(redaction.entry({ ...plain, data: `{"a":${deep}}` }).data).toContain('"[redacted]"');
    expect(redaction.entry({ ...plain, data: `{broken ${token("sk-")}` }).data).toBe("{broken [redacted]");
  });
});
