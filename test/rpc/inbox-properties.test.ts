/** However bytes are cut and however slow their taker is: all comes once and in order, and nothing after the end. */
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Inbox } from "../../src/rpc/inbox.ts";
import type { Lane } from "../../src/rpc/messages.ts";

const kinds = ["request", "notification", "response", "invalid", "update"] as const;
const ends = ["end", "destroyed", "failed", "stopped", "refused"] as const;
type End = (typeof ends)[number];

const messages = fc.array(fc.record({ kind: fc.constantFrom(...kinds), pad: fc.nat(120) }), {
  maxLength: 40,
  size: "max",
});
const plans = fc.record({
  messages,
  /** Some are long: more than may wait comes while a handler is behind. */
  longPads: fc.array(fc.nat(39), { maxLength: 24, size: "max" }),
  cuts: fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 12 }),
  /** So many turns of the loop each handler takes, and pass between two chunks. */
  slow: fc.array(fc.nat(8), { minLength: 1, maxLength: 7 }),
  pauses: fc.array(fc.nat(2), { minLength: 1, maxLength: 5 }),
  end: fc.constantFrom(...ends),
  endAt: fc.nat(60),
});
type Plan = typeof plans extends fc.Arbitrary<infer P> ? P : never;

it("all of it is taken once, in order, and nothing after the end", async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on("unhandledRejection", note);
  try {
    await fc.assert(fc.asyncProperty(plans, holds), { numRuns: 100 });
  } finally {
    process.off("unhandledRejection", note);
  }
  expect(unhandled).toEqual([]);
});

async function holds(plan: Plan): Promise<void> {
  const lines = plan.messages.map(({ kind, pad }, n) => {
    const long = plan.longPads.includes(n) ? 150_000 : 0;
    return lineOf(kind, n, "x".repeat(pad + long));
  });
  const { input, inbox, taken, broken, counters } = taker(plan);
  const ahead = aheadOf(input, lines, taken);
  const feeding = feed(input, Buffer.from(lines.join("")), plan);
  let atStop: number | undefined;
  const stop = () => {
    inbox.stop();
    atStop = taken.length;
  };
  if (plan.end === "stopped") void after(plan.endAt).then(stop);
  await Promise.all([inbox.ended, feeding]);
  const atEnd = [...taken];
  for (let turns = 0; turns < 20; turns += 1) await turn();
  expect(taken).toEqual(atEnd);
  expect(counters.mostAtOnce).toBeLessThanOrEqual(1);
  expect(ahead.most).toBeLessThanOrEqual(mostAhead);
  expect(atEnd).toEqual(plan.messages.map(({ kind }, n) => `${kind} ${n}`).slice(0, atEnd.length));
  if (plan.end === "end") expect([atEnd.length, broken]).toEqual([lines.length, []]);
  if (plan.end === "stopped") expect(broken).toEqual([]);
  if (atStop !== undefined) expect(atEnd).toHaveLength(atStop);
  if (plan.end === "destroyed" || plan.end === "failed") expect(broken).toHaveLength(1);
  if (plan.end === "refused") expect(broken).toHaveLength(atEnd.length > plan.endAt ? 1 : 0);
  expect(input.destroyed).toBe(true);
}

/** What may wait, the chunk that is taken and the one that comes last, and a message of which a piece is there. */
const mostAhead = (256 << 10) + 2 * 64_000 + 151_000;

/** How much was read beyond what has been taken. */
function aheadOf(input: PassThrough, lines: readonly string[], taken: readonly string[]) {
  const ahead = { most: 0 };
  const lengths = lines.map((line) => Buffer.byteLength(line));
  let read = 0;
  const note = (chunk: Buffer) => {
    read += chunk.length;
    const done = lengths.slice(0, taken.length).reduce((sum, length) => sum + length, 0);
    ahead.most = Math.max(ahead.most, read - done);
  };
  // Behind the inbox: whoever listens first starts the stream.
  void Promise.resolve().then(() => input.on("data", note));
  return ahead;
}

/** Whoever takes what comes, slowly; from one on it refuses, if so planned. */
function taker({ slow, end, endAt }: Plan) {
  const taken: string[] = [];
  const broken: unknown[] = [];
  const counters = { running: 0, mostAtOnce: 0 };
  let at = 0;
  const slowly = async () => {
    counters.running += 1;
    counters.mostAtOnce = Math.max(counters.mostAtOnce, counters.running);
    for (let left = slow[at++ % slow.length] ?? 0; left > 0; left -= 1) await turn();
    counters.running -= 1;
    if (end === "refused" && taken.length > endAt) throw new Error("refused");
  };
  const lane: Lane<string> = {
    recognise: () => undefined,
    take: (_, { method }) => (String(method).startsWith("update") ? String(method) : undefined),
    add: (batch, next) => void batch.push(next),
    deliver: (batch) => {
      taken.push(...batch);
      return slowly();
    },
  };
  const input = new PassThrough({ highWaterMark: 16 << 10 });
  const handlers = {
    request: ({ id }: { id: unknown }) => void taken.push(`request ${String(id)}`),
    response: ({ id }: { id: unknown }) => void taken.push(`response ${String(id)}`),
    notification: (method: string) => void taken.push(method),
    invalid: ({ excerpt }: { excerpt: string }) => {
      taken.push(/invalid \d+/.exec(excerpt)?.[0] ?? excerpt);
    },
    room: slowly,
    broken: (error: unknown) => void broken.push(error),
  };
  const inbox = new Inbox(input, 1 << 20, handlers, lane);
  return { input, inbox, taken, broken, counters };
}

async function feed(input: PassThrough, bytes: Buffer, { cuts, pauses, end, endAt }: Plan): Promise<void> {
  // Long ones are cut into pieces as a pipe cuts them.
  const scale = bytes.length > 100_000 ? 16 : 1;
  for (let from = 0, n = 0; from < bytes.length && !input.destroyed; n += 1) {
    const to = from + (cuts[n % cuts.length] ?? 1) * scale;
    input.write(bytes.subarray(from, to));
    from = to;
    await after(pauses[n % pauses.length] ?? 0);
    if (n === endAt) break_(input, end);
  }
  if (end === "end" || end === "stopped" || end === "refused") input.end();
  else break_(input, end);
}

function break_(input: PassThrough, end: End): void {
  if (end === "destroyed") input.destroy();
  if (end === "failed") input.destroy(new Error("broke"));
}

function lineOf(kind: (typeof kinds)[number], n: number, pad: string): string {
  const params = { text: `é${pad}` };
  if (kind === "request") return `${JSON.stringify({ jsonrpc: "2.0", id: n, method: "m", params })}\n`;
  if (kind === "response") return `${JSON.stringify({ jsonrpc: "2.0", id: n, result: params })}\n`;
  if (kind === "invalid") return `{invalid ${n} ${pad}\n`;
  return `${JSON.stringify({ jsonrpc: "2.0", method: `${kind} ${n}`, params })}\n`;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
async function after(turns: number): Promise<void> {
  for (let left = turns; left > 0; left -= 1) await turn();
}
