import { afterEach, expect, it, vi } from "vitest";
import { followed, type Feed } from "../../src/http/events/follow.ts";
import { frameOf } from "../../src/http/events/frame.ts";
import { Ring } from "../../src/http/events/ring.ts";
import { tokenInvalid } from "../../src/store/guarded/tokens.ts";

afterEach(() => {
  vi.restoreAllMocks();
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
