import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameDecoder, frameText, type Frame } from "../../src/rpc/framing.ts";

const oversized = {
  fault: "oversized",
  start: expect.any(String) as string,
  outline: expect.any(Object) as object,
};
const badHeader = { fault: "bad-header" };

/** JSON texts with characters of every width. */
const messages = fc.array(
  fc.record({ text: fc.string({ unit: "binary" }), n: fc.nat() }).map((value) => JSON.stringify(value)),
  { minLength: 1, maxLength: 8 },
);

/** Where to cut a stream, as parts of its length; empty chunks included. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => Math.floor(place * bytes.length)), bytes.length].sort(
    (a, b) => a - b,
  );
  return ends.map((end, n) => bytes.subarray(ends[n - 1] ?? 0, end));
}

/** What the decoder makes of a stream that comes in these chunks. */
function decode(chunks: readonly Buffer[], limitBytes = 1 << 20): Frame[] {
  const decoder = new FrameDecoder(limitBytes);
  return [...chunks.flatMap((chunk) => decoder.push(chunk)), ...decoder.end()];
}

const trimmed = (frames: readonly Frame[]) =>
  frames.map((frame) => (typeof frame === "string" ? frame.trim() : frame));

describe("lines", () => {
  it("come out as they went in, whatever the chunks, line ends and blank lines", () => {
    const ends = fc.constantFrom("\n", "\r\n", "\n\n", "\r\n \r\n");
    fc.assert(
      fc.property(
        messages,
        fc.array(ends, { minLength: 8, maxLength: 8 }),
        cuts,
        (texts, lineEnds, places) => {
          const stream = Buffer.from(texts.map((text, n) => text + lineEnds[n]).join(""));
          expect(trimmed(decode(cut(stream, places)))).toEqual(texts);
        },
      ),
    );
  });

  it("come out byte by byte, too, and the last one without its end", () => {
    const texts = ['{"a":"žluťoučký 🐎"}', '{"b":"\u2028"}'];
    const stream = Buffer.from(texts.join("\n"));
    expect(decode([...stream].map((byte) => Buffer.of(byte)))).toEqual(texts);
  });

  it("that are no messages come out in their place, for others to judge", () => {
    const garbage = fc
      .string({ unit: "binary" })
      .filter((text) => text.trim() === text && /^[^\n{]+$/.test(text));
    fc.assert(
      fc.property(messages, garbage, cuts, (texts, noise, places) => {
        const lines = texts.flatMap((text) => [text, noise]);
        expect(decode(cut(Buffer.from(lines.join("\n")), places))).toEqual(lines);
      }),
    );
  });

  it("beyond the limit are skipped, whatever the chunks, and the next one is read", () => {
    const limit = 48;
    fc.assert(
      fc.property(messages, cuts, (texts, places) => {
        const expected = texts.map((text) => (Buffer.byteLength(text) > limit ? oversized : text));
        expect(decode(cut(Buffer.from(`${texts.join("\n")}\n`), places), limit)).toEqual(expected);
      }),
    );
  });

  it("of any length up to the limit arrive whole", () => {
    const text = JSON.stringify({ text: "é".repeat(4 << 20) });
    const stream = Buffer.from(`${text}\n{}\n`);
    const places = Array.from({ length: 200 }, (_, n) => n / 200);
    const frames = decode(cut(stream, places), stream.length - 4);
    // Compared by ===: a difference of 8 MB is nothing to print.
    expect(frames.map((frame) => frame === text)).toEqual([true, false]);
  });

  it("beyond the limit are not held while they come", () => {
    const decoder = new FrameDecoder(64 << 10);
    const chunk = Buffer.alloc(64 << 10, "x");
    const before = process.memoryUsage().arrayBuffers;
    const frames = Array.from({ length: 1024 }, () => decoder.push(chunk)).flat();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 << 20);
    expect([...frames, ...decoder.push(Buffer.from("\n{}\n"))]).toEqual([oversized, "{}"]);
  });
});

describe("messages with headers", () => {
  const head = fc.constantFrom(
    (length: number) => `Content-Length: ${length}\r\n\r\n`,
    (length: number) => `content-length:${length}\n\n`,
    (length: number) => `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${length}\r\n\r\n`,
    (length: number) => `\r\nCONTENT-LENGTH: ${length} \r\nX-Other: content-length\r\n\r\n`,
  );
  const heads = fc.array(head, { minLength: 8, maxLength: 8 });
  const withHeads = (texts: readonly string[], makers: readonly ((length: number) => string)[]) =>
    Buffer.from(
      `Content-Length: 2\r\n\r\n{}${texts.map((text, n) => makers[n]?.(Buffer.byteLength(text)) + text).join("")}`,
    );

  it("come out as they went in, whatever the chunks and header blocks", () => {
    fc.assert(
      fc.property(messages, heads, cuts, (texts, makers, places) => {
        expect(decode(cut(withHeads(texts, makers), places))).toEqual(["{}", ...texts]);
      }),
    );
  });

  it("may hold line breaks", () => {
    const text = '{\r\n\r\n  "a": "Content-Length: 7"\n}';
    expect(decode([Buffer.from(frameText(text, "headers") + frameText("{}", "headers"))])).toEqual([
      text,
      "{}",
    ]);
  });

  it("beyond the limit are skipped, whatever the chunks, and the next one is read", () => {
    const limit = 48;
    fc.assert(
      fc.property(messages, heads, cuts, (texts, makers, places) => {
        const expected = texts.map((text) => (Buffer.byteLength(text) > limit ? oversized : text));
        expect(decode(cut(withHeads(texts, makers), places), limit)).toEqual(["{}", ...expected]);
      }),
    );
  });

  it("beyond the limit are not held while they come", () => {
    const decoder = new FrameDecoder(64 << 10);
    const chunk = Buffer.alloc(64 << 10, "x");
    const before = process.memoryUsage().arrayBuffers;
    expect(decoder.push(Buffer.from(`Content-Length: ${chunk.length * 1024}\r\n\r\n`))).toEqual([]);
    for (let n = 1; n < 1024; n += 1) expect(decoder.push(chunk)).toEqual([]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 << 20);
    expect([...decoder.push(chunk), ...decoder.push(Buffer.from(frameText("{}", "headers")))]).toEqual([
      oversized,
      "{}",
    ]);
  });

  it("without a length are reported, and the next one is read", () => {
    const stream = `${frameText("1", "headers")}X-Length: 7\r\n\r\n${frameText("2", "headers")}`;
    fc.assert(
      fc.property(cuts, (places) => {
        expect(decode(cut(Buffer.from(stream), places))).toEqual(["1", badHeader, "2"]);
      }),
    );
  });

  it("that never end are reported and not held", () => {
    const decoder = new FrameDecoder(64);
    decoder.push(Buffer.from("Content-Length: 1\r\n"));
    const before = process.memoryUsage().heapUsed;
    const frames = Array.from({ length: 512 }, () => decoder.push(Buffer.alloc(64 << 10, "x"))).flat();
    expect(new Set(frames.map((frame) => JSON.stringify(frame)))).toEqual(
      new Set([JSON.stringify(badHeader)]),
    );
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 << 20);
  });
});

describe("the first bytes", () => {
  it("decide the framing, once, however they are cut", () => {
    const starts: [string, "headers" | "ndjson"][] = [
      ["Content-Length: 2\r\n\r\n{}", "headers"],
      ["\n content-type: x\r\nContent-Length: 2\r\n\r\n{}", "headers"],
      ['{"a":1}\nContent-Length: 2\r\n\r\n{}\n', "ndjson"],
      ["Conten\n{}\n", "ndjson"],
      ["Contented agents say things\n{}\n", "ndjson"],
      [`${" ".repeat(300)}{}\n`, "ndjson"],
    ];
    for (const [start, framing] of starts) {
      fc.assert(
        fc.property(cuts, (places) => {
          const decoder = new FrameDecoder(1 << 20);
          for (const chunk of cut(Buffer.from(start), places)) decoder.push(chunk);
          decoder.end();
          expect(decoder.framing).toBe(framing);
        }),
        { numRuns: 20 },
      );
    }
  });

  it("leave it open while they could be either", () => {
    const decoder = new FrameDecoder(1 << 20);
    expect([decoder.push(Buffer.from(" \r\nConte")), decoder.framing]).toEqual([[], undefined]);
  });
});
