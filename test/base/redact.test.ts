import { describe, expect, it } from "vitest";
import { redact, redactStoreUrl, redactUrls } from "../../src/base/redact.ts";

describe("passwords in URLs", () => {
  it.each([
    ["postgres://me:pw@host/db", "postgres://me:***@host/db"],
    ["redis://:pw@host", "redis://:***@host"],
    ["postgres:me:pw@host", "postgres:me:***@host"],
    ["postgres://me:p#w/@host", "postgres://me:***@host"],
    ["postgres://me:p w@host/db is refused", "postgres://me:***@host/db is refused"],
    [`at "postgres://me:p"w'@host"`, `at "postgres://me:***@host"`],
    ["from http://a:pw@b to http://c:pw@d", "from http://a:***@b to http://c:***@d"],
    ["/?sslpassword=pw&x=1", "/?sslpassword=***&x=1"],
    ["host=h password='p w' user=me", "host=h password=*** user=me"],
    ["http://localhost:8080/a is down, ask me@b", "http://localhost:8080/a is down, ask me@b"],
    ["http://[::1]:8080/a, ask me@b", "http://[::1]:8080/a, ask me@b"],
    ["nothing: to see", "nothing: to see"],
  ])("%s", (text, safe) => {
    expect(redactUrls(text)).toBe(safe);
  });

  it("are hidden in each of several layers", () => {
    expect(redactStoreUrl(`layered:["redis://:pw@a","postgres://me:pw@b"]`)).toBe(
      `layered:["redis://:***@a","postgres://me:***@b"]`,
    );
  });
});

describe("redacting takes time in proportion to the text", () => {
  const length = 1 << 20;
  it.each(["//:", "//:@", "//:x ", "//a:b' ", "//a:b\n", "?password='", "postgres:", "?aaaa", " token='\" "])(
    "%j repeated",
    (piece) => {
      const beganMs = performance.now();
      redactUrls(`${piece.repeat(length / piece.length)}@`);
      // What was quadratic took half an hour for as much.
      expect(performance.now() - beganMs).toBeLessThan(5000);
    },
  );
});

describe("records", () => {
  it("hold no secret fields, and of a long text its beginning", () => {
    const safe = redact({
      headers: { a: "b" },
      API_KEY: "c",
      clientSecret: "d",
      private_key: "e",
      totalTokens: 12,
      text: "x".repeat(1e6),
      n: 1,
    });
    expect(safe).toMatchObject({
      headers: "[redacted]",
      API_KEY: "[redacted]",
      clientSecret: "[redacted]",
      private_key: "[redacted]",
      totalTokens: 12,
      n: 1,
    });
    expect(JSON.stringify(safe).length).toBeLessThan(20_000);
  });

  it("do not quote what could not be parsed", () => {
    let error: unknown;
    try {
      JSON.parse("what somebody said");
    } catch (caught) {
      error = caught;
    }
    const text = JSON.stringify(redact({ error }));
    expect(text).not.toContain("somebody");
    expect(text).not.toContain("what som");
    expect(text).toContain("redact.test");
  });
});
