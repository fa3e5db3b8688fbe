import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ArrivedUpdate } from "../../src/acp/updates.ts";
import { entriesOf as coalesced } from "../../src/acp/coalesce.ts";
import { foldEntries } from "../../src/session/fold.ts";
import type { NewEntry } from "../../src/store/contract.ts";
import { raw } from "../rpc/streams.ts";
import { chunk, contentsOf, image, newEntry, type Update } from "../session/entries.ts";

/** Updates as a connection hands them over. */
async function arrived(updates: readonly Update[], space?: number): Promise<ArrivedUpdate[]> {
  const found: ArrivedUpdate[] = [];
  const peer = raw({ updates: (more) => void found.push(...more) });
  const lines = updates.map((update) => {
    const message = { jsonrpc: "2.0", method: "session/update", params: { sessionId: "s", update } };
    return JSON.stringify(message, undefined, space).replaceAll("\n", "");
  });
  peer.say(...lines);
  peer.input.end();
  await peer.connection.ended;
  return found;
}

const entries = async (...updates: readonly Update[]) => coalesced(await arrived(updates), 5);
const numbered = (news: readonly NewEntry[]) => news.map((entry, n) => ({ seq: n + 1, ...entry }));

describe("updates that arrive together", () => {
  it("are one entry for a run of text of one message", async () => {
    const found = await entries(chunk("a", "1"), chunk("b", "1"), chunk("c", "2"), chunk("d"), chunk("e"));
    expect(contentsOf(found)).toEqual([chunk("ab", "1"), chunk("c", "2"), chunk("de")]);
    expect(found.map(({ kind, atMs }) => [kind, atMs])).toEqual(found.map(() => ["update", 5]));
  });

  it("are entries of their own where joining would lose something", async () => {
    const updates = [
      chunk("a"),
      image(),
      chunk("b", undefined, "agent_message_chunk", { annotations: {} }),
      { ...chunk("c"), _meta: { x: 1 } },
      chunk("d", undefined, "agent_thought_chunk"),
      chunk("e", undefined, "future_chunk"),
      chunk("f", undefined, "future_chunk"),
    ];
    expect(contentsOf(await entries(...updates))).toEqual(updates);
  });

  it("are kept to the letter where they are no text", async () => {
    const text =
      '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s","update":{"sessionUpdate":"_x", "n":1.0e0},"_meta":{"k":[]}}}';
    const found: ArrivedUpdate[] = [];
    const peer = raw({ updates: (more) => void found.push(...more) });
    peer.input.end(text);
    await peer.connection.ended;
    expect(coalesced(found, 5).map(({ data }) => data)).toEqual([
      '{"update":{"sessionUpdate":"_x", "n":1.0e0},"_meta":{"k":[]}}',
    ]);
  });

  it("never name the agent's session", async () => {
    const odd = {
      method: "session/update",
      params: { update: chunk("a"), x: 1, sessionId: "s" },
      jsonrpc: "2.0",
    };
    const found: ArrivedUpdate[] = [];
    const peer = raw({ updates: (more) => void found.push(...more) });
    peer.say(odd, { ...odd, more: true });
    peer.input.end();
    await peer.connection.ended;
    expect(coalesced(found, 5).map(({ data }) => JSON.parse(data) as unknown)).toEqual(
      [odd, odd].map(() => ({ update: chunk("a"), x: 1 })),
    );
  });

  it("fold to the same as if each had come alone", async () => {
    const ids = fc.constantFrom(undefined, null, "1", "2", '"');
    const senders = fc.constantFrom("agent_message_chunk", "agent_thought_chunk", "user_message_chunk");
    const texts = fc.string({ unit: "binary", maxLength: 4 });
    const update: fc.Arbitrary<Update> = fc.oneof(
      { weight: 5, arbitrary: fc.tuple(texts, ids, senders).map((args) => chunk(...args)) },
      fc.constantFrom(
        image("1"),
        { ...chunk("m", "1"), _meta: {} },
        { sessionUpdate: "tool_call", toolCallId: "t" },
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(update, { maxLength: 12 }),
        fc.constantFrom(undefined, 1),
        async (updates, space) => {
          const together = foldEntries(numbered(coalesced(await arrived(updates, space), 1)));
          const alone = foldEntries(numbered(updates.map((each) => newEntry(each))));
          expect(contentsOf(together)).toEqual(contentsOf(alone));
        },
      ),
    );
  });
});
