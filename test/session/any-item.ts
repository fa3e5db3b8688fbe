/** Anything that a journal may hold, for properties: what is joined, what is state, what stays as it came. */
import fc from "fast-check";
import { chunk, compaction, end, image, piece, plan, prompt, tool, unknown, type Item } from "./entries.ts";

const ids = fc.constantFrom(undefined, null, "1", "2");
const senders = fc.constantFrom("agent_message_chunk", "agent_thought_chunk", "user_message_chunk");
export const anyItem: fc.Arbitrary<Item> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.string({ maxLength: 3 }), ids, senders).map((args) => chunk(...args)),
  },
  // Halves of a pair, names that objects have already, numbers that are written in more than one way.
  fc.constantFrom(
    chunk("\ud83d", "1"),
    chunk("\ude00", "1"),
    tool({ title: "\ud800", rawOutput: JSON.parse('{"__proto__":{"a":1e21}}') as unknown }),
    tool({ title: null, status: "", rawInput: -0.5e-7, content: null }),
    tool({ title: "t", _meta: { toolName: "read", kind: "x" } }),
    tool({ status: "completed", _meta: { toolName: "read", kind: "x" } }),
    { sessionUpdate: "usage_update", used: 1, _meta: { phase: "p" } },
    { sessionUpdate: "constructor", toString: 1 },
    chunk("", null),
  ),
  fc.constantFrom(image(), image("1"), chunk("n", "1", "agent_message_chunk", { annotations: {} })),
  fc
    .tuple(fc.nat(3), fc.constantFrom("tool_call", "tool_call_update"), fc.constantFrom("t", "u"))
    .map(([n, kind, id]) =>
      tool({ [n % 2 === 0 ? "title" : "rawOutput"]: `${n}`, ...(n === 3 && { _meta: { n } }) }, kind, id),
    ),
  fc.constantFrom(plan("a"), plan("b"), unknown(1), unknown(2), prompt(), end),
  fc.constantFrom({ sessionUpdate: "usage_update", used: 1 }, { sessionUpdate: "usage_update", used: 2 }),
  fc.constantFrom(
    { sessionUpdate: "session_info_update", title: "t" },
    { sessionUpdate: "session_info_update", a: 1 },
  ),
  fc.constantFrom(
    piece("a"),
    piece("b"),
    compaction({ status: "completed" }),
    compaction({ status: "s", summary: null }),
  ),
  fc.constantFrom<Item>({ kind: "request", data: { id: 1 } }, { kind: "setting", data: { method: "m" } }),
);
