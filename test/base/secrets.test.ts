import { describe, expect, it } from "vitest";
import { Secrets } from "../../src/base/secrets.ts";

const secret = "hunter2-hunter2";

function knowing(params: unknown): Secrets {
  const secrets = new Secrets();
  secrets.learn(params);
  return secrets;
}

describe("a secret is known by where it stands, by its name and by its form", () => {
  it.each<[string, unknown]>([
    ["a variable of a server", { mcpServers: [{ env: [{ name: "ANY", value: secret }] }] }],
    ["a variable of the agent", { agent: { env: { ANY: secret } } }],
    ["a header", { headers: [{ name: "X-Any", value: secret }] }],
    ["a header with its scheme", { headers: [{ name: "Authorization", value: `Bearer ${secret}` }] }],
    ["headers as one variable", { env: { ALL: JSON.stringify({ "X-Any": secret }) } }],
    ["a short one by its name", { env: [{ name: "MY_PASSWORD", value: secret }] }],
    ["a field with such a name", { deep: [{ apiKey: secret }] }],
    ["an argument", { args: [`--token=${secret}`] }],
    ["an argument behind its flag", { args: ["run", "--api-key", secret] }],
    ["a header as an argument", { args: ["--header", `Authorization: Bearer ${secret}`] }],
    ["a variable as an argument", { args: ["-e", `API_KEY=${secret}`] }],
    ["the password of a URL", { url: `https://me:${secret}@host/` }],
    ["the password of what is hardly a URL", { url: `postgres:me:${secret}@host` }],
    ["the query of a URL", { url: `https://host/?sslpassword=${secret}&a=b` }],
  ])("%s", (_where, params) => {
    expect(knowing(params).hide(`it is ${secret}, you see`)).toBe("it is [redacted], you see");
  });

  it.each([
    "ghp_abcdefghijklmnopqrstuvwx",
    "pypi-abcdefghijklmnopqrstuvwx",
    "AGE-SECRET-KEY-1ABCDEFGHIJKLMNOP",
  ])("a token of a known form in any argument: %s", (token) => {
    expect(knowing({ args: ["login", token] }).hide(`<${token}>`)).toBe("<[redacted]>");
  });

  it.each([
    ["a path", { env: { HOME: "/home/somebody", PATH: "/usr/bin:/bin:/usr/local/bin" } }],
    ["an address", { env: { URL: "https://localhost:8080/any" }, url: "https://localhost:8080/any" }],
    ["a plain word", { env: { DEBUG: "true", NODE_ENV: "production", MAX_TOKENS: "32000" } }],
    ["the folder that one is in", { env: { PWD: "/home/somebody" }, args: ["PWD=/home/somebody"] }],
    [
      "what is no secret by its place",
      { cwd: "/some/where/else", args: ["--verbose", "everything", "skip-it-and-go-on"] },
    ],
  ])("%s is none", (_what, params) => {
    const text =
      "/home/somebody /usr/bin true production 32000 https://localhost:8080/any everything else skip-it-and-go-on";
    expect(knowing(params).hide(text)).toBe(text);
  });
});

describe("secrets are found however they are quoted", () => {
  it("in JSON, in a URL, by the line", () => {
    const odd = 'first-"line" ü\nsecond-line';
    const secrets = knowing({ env: { ANY: odd } });
    for (const form of [odd, JSON.stringify(odd).slice(1, -1), encodeURIComponent(odd), "second-line"])
      expect(secrets.hide(`<${form}>`)).toBe("<[redacted]>");
  });

  it("in base64, whatever stands behind it", () => {
    const secrets = knowing({ env: { ANY: secret } });
    for (const behind of ["", "!", "\n and more"]) {
      const form = Buffer.from(secret + behind).toString("base64");
      expect(secrets.hide(`<${form}>`)).toContain("[redacted]");
      expect(secrets.hide(`<${form}>`)).not.toContain(form.slice(0, 16));
    }
  });

  it("one that is a part of another", () => {
    const secrets = knowing({ env: { A: "abcdefgh", B: "abcdefgh-ijkl" } });
    expect(secrets.hide("abcdefgh-ijkl abcdefgh")).toBe("[redacted] [redacted]");
  });

  it("wherever a stream is cut, and nothing else is held back", () => {
    const secrets = knowing({ env: { A: "abcabcabd", B: "abcabcabd-more", C: "xx-abcabc" } });
    const text = "abcabcabcabd abcabcabd-mor abcabcabd-more xx-abcabcabd abcabca";
    const whole = secrets.hide(text);
    for (let size = 1; size <= text.length; size += 1) {
      const pieces = secrets.inPieces();
      let said = "";
      for (let at = 0; at < text.length; at += size) said += pieces.push(text.slice(at, at + size));
      said += pieces.end();
      expect(said).not.toMatch(/abcabcabd|xx-abcabc/);
      if (size >= 20) expect(said).toBe(whole);
    }
    expect(secrets.inPieces().push("Password: ")).toBe("Password: ");
  });

  it("cut off by the end of an excerpt", () => {
    expect(knowing({ env: { A: secret } }).hideCut(`it is ${secret.slice(0, 9)}`)).toBe("it is ");
  });
});

describe("what is learned is bounded", () => {
  it("by depth, by number, by length", () => {
    const secrets = new Secrets();
    let deep: unknown = { env: { A: secret } };
    for (let level = 0; level < 50_000; level += 1) deep = [deep];
    secrets.learn(deep);
    expect(secrets.hide(secret)).toBe("[redacted]");
    for (let n = 0; n < 3000; n += 1) secrets.learn({ env: { A: `secret-number-${n}` } });
    expect(secrets.hide(secret)).toBe(secret);
    expect(secrets.hide("secret-number-2999")).toBe("[redacted]");
    const long = "x".repeat(100_000);
    secrets.learn({ env: { A: long } });
    expect(secrets.hide(long)).toBe(long);
  });
});
