import { PassThrough, Writable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameDecoder, type Framing } from "../../src/rpc/framing.ts";
import { Output } from "../../src/rpc/output.ts";

const texts = fc.array(
  fc.string({ unit: "binary" }).map((text) => JSON.stringify({ text })),
  { maxLength: 6 },
);

function pending(promise: Promise<unknown>): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => setImmediate(() => resolve(true)));
  return Promise.race([promise.then(() => false), late]);
}

describe("what was sent", () => {
  it("can be read again, in order, one by one or many at once, in either framing", () => {
    const framings = fc.constantFrom<Framing>("ndjson", "headers");
    fc.assert(
      fc.property(fc.array(texts), framings, (batches, framing) => {
        const stream = new PassThrough({ highWaterMark: 1 << 20 });
        const output = new Output(stream, () => framing);
        const ask = framing === "headers" ? ["{}"] : [];
        for (const text of ask) void output.send(text);
        for (const [n, batch] of batches.entries()) {
          if (n % 2 === 0) void output.sendAll(batch);
          else for (const text of batch) void output.send(text);
        }
        const decoder = new FrameDecoder(1 << 20);
        const bytes = stream.read() as Buffer | null;
        expect(bytes === null ? [] : decoder.push(bytes)).toEqual([...ask, ...batches.flat()]);
      }),
    );
  });
});

describe("a stream that is full", () => {
  it("holds back whoever sends until it takes more", async () => {
    const stream = new PassThrough({ highWaterMark: 64 });
    const output = new Output(stream, () => "ndjson");
    const first = output.send("x".repeat(100));
    const second = output.sendAll(["y"]);
    expect(await pending(Promise.race([first, second]))).toBe(true);
    stream.resume();
    await Promise.all([first, second]);
    stream.pause();
    expect(await pending(output.send("z"))).toBe(false);
  });

  it("holds back nobody once it has gone, or is given up", async () => {
    for (const end of ["destroy", "abandon", "fail"] as const) {
      const stream = new PassThrough({ highWaterMark: 1 });
      const output = new Output(stream, () => "ndjson");
      const sent = output.send("one");
      expect(await pending(sent)).toBe(true);
      if (end === "abandon") output.abandon();
      else stream.destroy(end === "fail" ? new Error("EPIPE") : undefined);
      await sent;
      expect(output.isOpen).toBe(false);
      await Promise.all([output.send("two"), output.sendAll(["three"]), output.flushed(), output.end()]);
    }
  });
});

describe("the end of a stream", () => {
  it("comes behind all that was sent", async () => {
    const written: string[] = [];
    const stream = new Writable({
      highWaterMark: 1,
      write: (chunk: Buffer, _encoding, done) => {
        written.push(chunk.toString());
        setImmediate(done);
      },
    });
    const output = new Output(stream, () => "ndjson");
    void output.sendAll(["1", "2"]);
    void output.send("3");
    await output.end();
    expect(written.join("")).toBe("1\n2\n3\n");
    await output.send("too late");
    expect(written.join("")).toBe("1\n2\n3\n");
  });

  it("is not needed to know that everything has left", async () => {
    const written: string[] = [];
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        written.push(chunk.toString());
        setImmediate(done);
      },
    });
    const output = new Output(stream, () => "ndjson");
    for (const text of ["1", "2", "3"]) void output.send(text);
    await output.flushed();
    expect(written.join("")).toBe("1\n2\n3\n");
  });
});
