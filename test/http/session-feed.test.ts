/** A session that is followed while its store cannot be read, or is written to in that moment. */
import { afterEach, expect, it } from "vitest";
import { SidecarError } from "../../src/base/errors.ts";
import { followed } from "../../src/http/events/follow.ts";
import { Narrator } from "../../src/http/events/news.ts";
import { finalAt } from "../../src/http/events/position.ts";
import { SessionFeed } from "../../src/http/events/session-feed.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { NewEntry } from "../../src/store/contract.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { journalConflict } from "../../src/store/refusals.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { prompt, say, update } from "../history/talk.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A turn that runs. Of the next read comes the first page, and then what `fail` is told. */
async function running(entries: readonly NewEntry[]) {
  const inner = openMemoryStore();
  let failure: SidecarError | undefined;
  const store = wrapStore(inner, {
    read: async function* (id, range) {
      yield* inner.read(id, range);
      const error = failure;
      failure = undefined;
      if (error !== undefined) throw error;
    },
  });
  const registry = new SessionRegistry({ store: inner });
  const { id } = await registry.create({ cwd: "/p" });
  const { journal } = await registry.open(id);
  await journal.append(entries);
  const feed = new SessionFeed(store, id);
  closing.push(async () => {
    await feed.close();
    await journal.release();
    await registry.close();
  });
  const fail = (error: SidecarError) => void (failure = error);
  return { id, inner, store, journal, feed, fail };
}

async function told(feed: SessionFeed): Promise<string[]> {
  const events: string[] = [];
  for await (const piece of followed(feed, "0.0.", async () => undefined)) {
    const text = Buffer.from(piece).toString();
    events.push(...(text.match(/(?<=^event: ).*|(?<="seq":)\d+/gm) ?? []));
    if (events.includes("session")) break;
  }
  return events.filter((each) => each !== "happening");
}

it("who is the first to come, in the moment in which a turn is sealed, is told all of it", async () => {
  const { id, feed, fail } = await running([prompt("Go"), say("on")]);
  fail(journalConflict(id, 2, 2));
  expect(await told(feed)).toEqual(["1", "2", "session"]);
});

it("who comes while the store is away is told so, and has missed nothing when they come again", async () => {
  const { feed, fail } = await running([prompt("Go"), say("on")]);
  fail(new SidecarError("STORE_UNAVAILABLE", "The store is away"));
  expect(await told(feed)).toEqual(["end"]);
  expect(await told(feed)).toEqual(["1", "2", "session"]);
});

it("what was read, and is read once more, is told as if it were read for the first time", async () => {
  const echo = update("user_message_chunk", { content: { type: "text", text: "Go" } });
  const { id, inner, store, fail } = await running([prompt("Go"), echo]);
  const record = await inner.get(id);
  if (record === undefined) throw new Error("no session");
  const narrator = new Narrator(store);
  const since = async () => {
    let at = finalAt(0);
    const seqs: number[] = [];
    for (;;)
      try {
        for await (const { frame, position } of narrator.since(at, record)) {
          at = position;
          if (frame !== undefined) seqs.push(position.head);
        }
        return seqs;
      } catch {
        continue;
      }
  };
  fail(new SidecarError("STORE_UNAVAILABLE", "The store is away"));
  expect(await since()).toEqual([1]);
});
