import { describe, expect, it } from "vitest";
import { SidecarError } from "../../../src/base/errors.ts";
import { plainCause } from "../../../src/store/server/cause.ts";
import { postgresFailure } from "../../../src/store/sql/postgres/failures.ts";
import { redisFailure } from "../../../src/store/redis/failures.ts";

describe("what network stores tell of failures", () => {
  it("keeps what drivers attach to their errors out of messages and causes", () => {
    const row = { detail: "Failing row contains (secret)", command: { args: ["secret"] }, code: "23502" };
    const error = Object.assign(new Error("null value\nsecret"), row);
    const { cause, message } = postgresFailure(error, "h:1/d");
    expect(
      JSON.stringify([cause, Object.entries(cause as Error), message]) + (cause as Error).stack,
    ).not.toContain("secret");
    expect(Object.keys(plainCause(error))).toEqual(["code"]);
    const reply = Object.assign(new Error("ERR wrong secret"), row);
    expect(redisFailure(reply, "h:1").message).not.toContain("secret");
  });

  it("tells a person what to do", () => {
    const coded = (code: string, message = "m") => Object.assign(new Error(message), { code });
    const postgres: [string, string, RegExp][] = [
      ["28P01", "STORE_UNAVAILABLE", /user or password/],
      ["53100", "STORE_FULL", /make room/],
      ["53300", "STORE_UNAVAILABLE", /pool=/],
      ["25006", "STORE_READONLY", /primary/],
      ["XX001", "STORE_CORRUPT", /damage/],
      ["40001", "STORE_LOCKED", /try again/],
      ["ECONNRESET", "STORE_UNAVAILABLE", /start it or check/],
    ];
    for (const [code, ours, text] of postgres) {
      expect(postgresFailure(coded(code), "h:1/d")).toMatchObject({
        code: ours,
        message: expect.stringMatching(text) as string,
      });
    }
    const redis: [string, string, RegExp][] = [
      ["NOAUTH Authentication required.", "STORE_UNAVAILABLE", /user or password/],
      ["MISCONF Errors writing to the AOF file", "STORE_READONLY", /disk/],
      ["READONLY You can't write against a read only replica.", "STORE_READONLY", /primary/],
      ["LOADING Redis is loading the dataset in memory", "STORE_UNAVAILABLE", /try again/],
      ["Connection is closed.", "STORE_UNAVAILABLE", /start it or check/],
    ];
    for (const [message, ours, text] of redis) {
      expect(redisFailure(new Error(message), "h:1")).toMatchObject({
        code: ours,
        message: expect.stringMatching(text) as string,
      });
    }
    const own = new SidecarError("STORE_CLOSED", "closed");
    expect([postgresFailure(own, "p"), redisFailure(own, "p")]).toEqual([own, own]);
  });
});
