import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { createLogger } from "../../src/base/log.ts";
import { Outlet } from "../../src/base/outlet.ts";

/** A pipe that somebody reads when the test says so. */
function pipe() {
  let read = "";
  let onRead: (() => void) | undefined;
  let isRead = false;
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      read += chunk.toString();
      if (isRead) done();
      else onRead = done;
    },
  });
  return {
    stream,
    text: () => read,
    readAll: async () => {
      isRead = true;
      onRead?.();
      while (stream.writableLength > 0) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe("a stream that perhaps nobody reads", () => {
  it("gets lines of ours and what others write as it comes, each line on one of its own", async () => {
    const { stream, text, readAll } = pipe();
    const outlet = new Outlet(stream);
    outlet.write("one\n");
    outlet.pass("Password: ");
    outlet.write("two\n");
    outlet.pass("");
    outlet.pass("three\n");
    outlet.write("four\n");
    await readAll();
    expect(text()).toBe("one\nPassword: \ntwo\nthree\nfour\n");
  });

  it("holds no more than its bound, and says how much was dropped when it is read again", async () => {
    const { stream, text, readAll } = pipe();
    const log = createLogger({ level: "warn", target: new Outlet(stream) });
    for (let n = 0; n < 20_000; n += 1) log.warn({ n }, "nobody reads this");
    expect(stream.writableLength).toBeLessThan(300 * 1024);
    await readAll();
    const kept = text().trimEnd().split("\n");
    expect(kept.at(-1)).toMatch(/^acp-sidecar: \d+ characters were dropped here/);
    expect(kept.slice(0, -1).map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(
      kept.slice(0, -1).map((_, n) => n),
    );
    log.warn({}, "again");
    await readAll();
    expect(text()).toContain("again");
  });

  it("may be closed", () => {
    const { stream } = pipe();
    const outlet = new Outlet(stream);
    stream.destroy(new Error("EPIPE"));
    outlet.write("into the void\n");
  });
});
