/** Who reads a session while another one writes it hears each thing once, wherever a seal falls. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Following, untold } from "../../src/session/following.ts";
import { foldEntries } from "../../src/session/fold.ts";
import type { Entry, NewEntry } from "../../src/store/contract.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { thisHolder } from "../../src/session/holder.ts";
import { aSession } from "../conformance/samples.ts";
import {
  chunk,
  compaction,
  contentsOf,
  end,
  entriesOf,
  image,
  piece,
  plan,
  prompt,
  tool,
  type Item,
} from "./entries.ts";
import { open, session } from "./journal-rig.ts";

const numbered = (entries: readonly NewEntry[]): Entry[] =>
  entries.map((entry, n) => ({ seq: n + 1, ...entry }));

/** All that was said under each id, and the last state of each call and plan. */
function heard(entries: readonly NewEntry[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const content of contentsOf(entries)) {
    if (typeof content === "string") continue;
    const { sessionUpdate: kind, toolCallId, messageId, compactionId } = content;
    if (compactionId !== undefined) {
      const { sessionUpdate, content: piece, ...fields } = content;
      const was = JSON.parse(found["compaction"] ?? "{}") as { summary?: unknown[] | null };
      const summary = [...(was.summary ?? []), piece];
      const isPiece = sessionUpdate === "compaction_summary_chunk";
      found["compaction"] = JSON.stringify({
        status: "in_progress",
        ...was,
        ...fields,
        ...(isPiece && { summary }),
      });
      continue;
    }
    if (toolCallId !== undefined) {
      const { sessionUpdate: _, ...fields } = content;
      found[`tool ${JSON.stringify(toolCallId)}`] = JSON.stringify({
        ...(JSON.parse(found[`tool ${JSON.stringify(toolCallId)}`] ?? "{}") as object),
        ...fields,
      });
    } else if (kind === "plan") found["plan"] = JSON.stringify(content);
    else if (/_chunk$/.test(kind)) {
      const { text = "[image]" } = content["content"] as { text?: string };
      const key = `${kind} ${JSON.stringify(messageId ?? null)}`;
      found[key] = (found[key] ?? "") + text;
    }
  }
  return found;
}

const item: fc.Arbitrary<Item> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.string({ maxLength: 4 }),
        fc.constantFrom(undefined, "1", "2"),
        fc.constantFrom("agent_message_chunk", "agent_thought_chunk"),
      )
      .map((args) => chunk(...args)),
  },
  fc
    .tuple(fc.constantFrom("title", "rawOutput"), fc.nat(5), fc.constantFrom("t", "u"))
    .map(([field, n, id]) => tool({ [field]: `${n}` }, n === 0 ? "tool_call" : "tool_call_update", id)),
  fc.constantFrom(plan("a"), plan("b"), image(), prompt(), end),
);

const compacting = fc.constantFrom(
  piece("a"),
  piece("b"),
  compaction({ status: "completed" }),
  compaction({ status: "failed", summary: null }),
);

describe("what was sealed after it was told in part", () => {
  it("is told to its end, and nothing of it twice", () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 25 }), fc.nat(25), (items, at) => {
        const all = entriesOf(items);
        const told = all.slice(0, at);
        const fresh = untold(numbered(foldEntries(all)), told);
        expect(heard([...told, ...fresh])).toEqual(heard(all));
        expect(untold(numbered(foldEntries(all)), all)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a session that somebody writes", () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.array(fc.oneof(item, compacting), { minLength: 1, maxLength: 4 }) },
      { weight: 3, arbitrary: fc.constantFrom("look", "seal") },
    ),
    { maxLength: 12 },
  );

  /** What the reader has of it in pieces is kept as one, and goes on. */
  const joinedAndGoingOn: (Item[] | "look" | "seal")[] = [
    [chunk("")],
    "seal",
    [piece("a"), piece("b")],
    "look",
    "seal",
    [piece("b")],
  ];

  it("is told once, whenever somebody looks and wherever a turn ends", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        const store = openMemoryStore();
        const id = await session(store);
        const { journal } = await open(store, id);
        const following = new Following(store, id, 0);
        const [said, told]: [NewEntry[], NewEntry[]] = [[], []];
        const looks = async () => told.push(...((await following.take((await store.get(id))!)) ?? []));
        for (const step of [...given, "seal", "look"]) {
          if (step === "look") await looks();
          else if (step === "seal") await journal.sealTurn([]);
          else {
            const entries = entriesOf(step as Item[]);
            said.push(...entries);
            await journal.append(entries);
          }
        }
        expect(heard(told)).toEqual(heard(said));
        await journal.release();
      }),
      { numRuns: 300, examples: [[joinedAndGoingOn]] },
    );
  });

  it("is told as it is streamed, sealed, and streamed again", async () => {
    await using store = openMemoryStore();
    const { id } = await store.create(aSession());
    const { lease } = await store.acquire(id, { holder: thisHolder(), ttlMs: 60_000, mayTake: () => true });
    const following = new Following(store, id, 0);
    const texts = async () => {
      const record = await store.get(id);
      return (
        record &&
        ((await following.take(record)) ?? []).map(({ data }) => data.replace(/.*"text":"([^"]*)".*/, "$1"))
      );
    };
    const says = (...words: string[]) => entriesOf(words.map((word) => chunk(word)));
    await store.append(id, 0, says("a", "b"), lease);
    expect(await texts()).toEqual(["a", "b"]);
    expect(await texts()).toEqual([]);
    await store.append(id, 2, says("c"), lease);
    // Sealed before anybody looked, with what came between.
    await store.seal(id, { from: 1, head: 3 }, foldEntries(says("a", "b", "c")), lease);
    await store.append(id, 1, says("d"), lease);
    expect(await texts()).toEqual(["c", "d"]);
    await store.seal(id, { from: 2, head: 2 }, says("d"), lease);
    expect(await texts()).toEqual([]);
  });
});
