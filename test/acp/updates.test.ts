import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { updateLane } from "../../src/acp/chunks.ts";
import { entriesOf as coalesced } from "../../src/acp/update-entries.ts";
import { textsOf, type ArrivedUpdate, type UpdateParams } from "../../src/acp/updates.ts";
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

/** What becomes of one message: its entries, and what a client that knows the session as OURS gets. */
function taken(text: string) {
  const lane = updateLane(() => undefined);
  const update = lane.take(text, JSON.parse(text) as Record<string, unknown>);
  if (update === undefined) throw new Error("no update");
  return { data: coalesced([update], 5).map((entry) => entry.data), sent: textsOf([update], "OURS") };
}

describe("a message that is written as nobody else does", () => {
  /** An object as text, its members in any order, some of them twice, names with escapes, and spaces between. */
  const objectOf = (members: readonly (readonly [string, string])[], spaces: readonly string[]) =>
    `{${members.map(([name, value], n) => `${spaces[n % spaces.length]}${name}:${value}`).join(",")}}`;
  const named = (name: string) =>
    fc.constantFrom(
      `"${name}"`,
      `"${name.replace(/[a-z]/, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)}"`,
    );
  const member = (name: string, value: fc.Arbitrary<string>) => fc.tuple(named(name), value);
  const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value));
  const spaces = fc.array(fc.constantFrom("", " ", "\t"), { minLength: 1, maxLength: 3 });
  const shuffled = <T>(values: readonly T[]) =>
    fc.shuffledSubarray([...values], { minLength: values.length, maxLength: values.length });
  const update = fc
    .tuple(json, fc.constantFrom("1.50", "9007199254740993", "1e400"), spaces)
    .map(([value, number, gaps]) =>
      objectOf(
        [
          ['"sessionUpdate"', '"_x"'],
          ['"value"', value],
          ['"number"', number],
        ],
        gaps,
      ),
    );
  const params = fc
    .tuple(
      fc.array(member("sessionId", fc.constantFrom('"s"', '"t"')), { minLength: 1, maxLength: 2 }),
      fc.array(member("update", update), { minLength: 1, maxLength: 2 }),
      fc.array(member("_meta", json), { maxLength: 1 }),
      spaces,
    )
    .chain(([ids, updates, more, gaps]) =>
      shuffled([...ids, ...updates, ...more]).map((members) => objectOf(members, gaps)),
    );
  const message = fc
    .tuple(
      fc.array(member("params", params), { minLength: 1, maxLength: 2 }),
      fc.array(member("extra", json), { maxLength: 1 }),
      spaces,
    )
    .chain(([all, more, gaps]) =>
      shuffled([['"jsonrpc"', '"2.0"'], ['"method"', '"session/update"'], ...all, ...more] as const).map(
        (members) => objectOf(members, gaps),
      ),
    );

  it("is stored and forwarded as what it means, and as JSON", () => {
    fc.assert(
      fc.property(message, (text) => {
        const { data, sent } = taken(text);
        const meant = JSON.parse(text) as { params: UpdateParams };
        const { sessionId: _, ...rest } = meant.params;
        expect(data.map((each) => JSON.parse(each) as unknown)).toEqual([rest]);
        const forwarded = { ...meant, params: { ...rest, sessionId: "OURS" } };
        expect(sent.map((each) => JSON.parse(each) as unknown)).toEqual([forwarded]);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps its numbers to the letter, whatever the order of its fields", () => {
    const odd =
      '{"params":{"update":{"n":9007199254740993,"sessionUpdate":"_x","m":1.50},"sessionId":"s"},"jsonrpc":"2.0","method":"session/update"}';
    const { data, sent } = taken(odd);
    expect(data).toEqual(['{"update":{"n":9007199254740993,"sessionUpdate":"_x","m":1.50}}']);
    expect(sent[0]).toContain('{"n":9007199254740993,"sessionUpdate":"_x","m":1.50}');
  });

  it("may be nested as deep as it likes", () => {
    const deep = `${'{"a":['.repeat(50_000)}1${"]}".repeat(50_000)}`;
    const update = `"update":{"sessionUpdate":"tool_call_update","toolCallId":"t","rawOutput":${deep}}`;
    for (const inner of [`"sessionId":"s",${update}`, `${update},"sessionId":"s"`]) {
      const text = `{"jsonrpc":"2.0","method":"session/update","params":{${inner}}}`;
      const { data, sent } = taken(text);
      expect(data[0] === `{${update}}`).toBe(true);
      expect(sent[0]?.endsWith(`${update}}}`)).toBe(true);
    }
  });
});

describe("a text chunk of any length", () => {
  it.each([
    ["plain", "x".repeat(20 << 20)],
    ["with escapes", '\n"\\'.repeat(5 << 20)],
  ])("is taken: %s", { tags: ["long"] }, (_what, said) => {
    for (const first of ["content", "sessionId"]) {
      const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text: said } };
      const params = first === "content" ? { update, sessionId: "s" } : { sessionId: "s", update };
      const text = JSON.stringify({ jsonrpc: "2.0", method: "session/update", params });
      const lane = updateLane(() => undefined);
      const once = lane.take(text, JSON.parse(text) as Record<string, unknown>);
      const again = lane.recognise(`${text}\n${text}`);
      for (const update of [once, again]) {
        if (update === undefined) throw new Error("not taken");
        const [entry] = coalesced([update], 5);
        const { content } = (JSON.parse(entry?.data ?? "") as UpdateParams).update;
        const { length } = (content as { text: string }).text;
        expect(length).toBe(update === once ? said.length : 2 * said.length);
      }
    }
  });
});
