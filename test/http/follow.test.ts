import { afterEach, expect, it, vi } from "vitest";
import { SidecarError } from "../../src/base/errors.ts";
import { Beat } from "../../src/http/events/beat.ts";
import { followed, type Feed } from "../../src/http/events/follow.ts";
import { frameOf } from "../../src/http/events/frame.ts";
import { SessionFeed } from "../../src/http/events/session-feed.ts";
import { Ring } from "../../src/http/events/ring.ts";
import { tokenInvalid } from "../../src/store/guarded/tokens.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { aSession, leaseOf, someEntries } from "../conformance/samples.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function feed(): Feed & { readonly ring: Ring } {
  const ring = new Ring();
  return {
    ring,
    join: async function* () {
      return { number: ring.end, lastId: "0.0." };
    },
  };
}

it("whoever may follow no longer is told so within seconds, and nothing more", async () => {
  let nowMs = 0;
  vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  const one = feed();
  const pieces = followed(one, undefined, () => Promise.reject(tokenInvalid()));
  const next = async () => String(Buffer.from((await pieces.next()).value ?? []));
  one.ring.push(frameOf("happening", "1.1.", { seq: 1 }));
  const first = next();
  await Promise.resolve();
  one.ring.push(frameOf("happening", "2.2.", { seq: 2 }));
  expect(await first).toContain('"seq":2');
  nowMs = 6000;
  one.ring.push(frameOf("happening", "3.3.", { seq: 3 }));
  const last = await next();
  expect(last).toContain("event: end");
  expect(last).toContain("TOKEN_INVALID");
  expect((await pieces.next()).done).toBe(true);
});

it("whoever may follow no longer is told nothing more of what was before, however slowly they read it", async () => {
  let nowMs = 0;
  vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  const one = {
    ...feed(),
    join: async function* () {
      for (const seq of [1, 2, 3]) yield frameOf("happening", `${seq}.${seq}.`, { seq });
      return { number: 0, lastId: "3.3." };
    },
  };
  const pieces = followed(one, "0.0.", () => Promise.reject(tokenInvalid()));
  const next = async () => String(Buffer.from((await pieces.next()).value ?? []));
  expect(await next()).toContain('"seq":1');
  expect(await next()).toContain('"seq":2');
  nowMs = 6000;
  const last = await next();
  expect(last).not.toContain('"seq":3');
  expect(last).toContain("TOKEN_INVALID");
  expect((await pieces.next()).done).toBe(true);
});

it("whoever may follow no longer is told so within seconds, also where nothing happens", async () => {
  vi.useFakeTimers();
  const one = feed();
  const beat = new Beat(one.ring, 1 << 30, async () => undefined);
  const pieces = followed(one, undefined, () => Promise.reject(tokenInvalid()));
  let text = "";
  const read = async () => {
    for await (const piece of pieces) text += String(Buffer.from(piece));
  };
  const all = read();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(text).toContain("TOKEN_INVALID");
  await all;
  await beat.close();
});

it("of a session that is deleted while it is read it is told that it is gone, and of no trouble", async () => {
  const inner = openMemoryStore();
  const { id } = await inner.create(aSession());
  const store = wrapStore(inner, {
    read: async function* (id, range) {
      await inner.delete(id);
      yield* inner.read(id, range);
    },
  });
  const feed = new SessionFeed(store, id);
  const pieces = followed(feed, undefined, async () => undefined);
  const told = async () => String(Buffer.from((await pieces.next()).value ?? []));
  expect(await told()).toContain("event: session");
  const lease = await leaseOf(inner, id);
  await inner.append(id, 0, someEntries(1), lease);
  await feed.look();
  expect(await told()).toContain("event: gone");
  expect((await pieces.next()).done).toBe(true);
  await feed.close();
});

it("a store that is away ends no stream, and is asked again before anything else is told", async () => {
  let nowMs = 0;
  vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  const one = feed();
  let why = new SidecarError("STORE_UNAVAILABLE", "The store is away");
  const pieces = followed(one, undefined, () => Promise.reject(why));
  const next = async () => String(Buffer.from((await pieces.next()).value ?? []));
  const first = next();
  await Promise.resolve();
  one.ring.push(frameOf("happening", "1.1.", { seq: 1 }));
  expect(await first).toContain('"seq":1');
  nowMs = 6000;
  one.ring.push(frameOf("trouble", "1.1.", {}));
  expect(await next()).toContain("event: trouble");
  why = tokenInvalid();
  one.ring.push(frameOf("happening", "2.2.", { seq: 2 }));
  expect(await next()).toContain("TOKEN_INVALID");
  expect((await pieces.next()).done).toBe(true);
});

it("who is woken without news is told that somebody is there", async () => {
  const one = feed();
  const pieces = followed(one, undefined, async () => undefined);
  const next = pieces.next();
  await new Promise((resolve) => setImmediate(resolve));
  one.ring.wake();
  expect(String(Buffer.from((await next).value ?? []))).toBe(": \n\n");
  one.ring.close();
  expect((await pieces.next()).done).toBe(true);
});
