import { expect, it } from "vitest";
import { newSessionId } from "../../../src/base/ids.ts";
import { mostReaders, Readers } from "../../../src/relay/live/readers.ts";

it("follows so many sessions, and tells of the one that was loaded first when there are more", async () => {
  const readers = new Readers();
  const closed: (readonly [number, string | undefined])[] = [];
  const reader = (at: number) => ({ close: async (words?: string) => void closed.push([at, words]) });
  const ids = Array.from({ length: mostReaders + 1 }, () => newSessionId());
  for (const [at, id] of ids.entries()) if (at < mostReaders) await readers.put(id, reader(at));
  // Loaded again it is not the first any more.
  await readers.put(ids[0] ?? newSessionId(), reader(100));
  expect(closed).toEqual([[0, undefined]]);
  await readers.put(ids[mostReaders] ?? newSessionId(), reader(mostReaders));
  expect(closed.slice(1)).toEqual([[1, expect.stringContaining("Load it again")]]);
  await readers.end(ids[2] ?? newSessionId());
  await readers.close();
  expect(closed).toHaveLength(mostReaders + 2);
  await readers.put(newSessionId(), reader(200));
  expect(closed.at(-1)).toEqual([200, undefined]);
});
