/** How an agent of test/fixtures/agents/odd.mjs behaves, and what it may stream: all that real agents were seen to do. */
import fc from "fast-check";

export interface OddAgent {
  readonly can: {
    readonly load: boolean;
    readonly resume: boolean;
    readonly fork: boolean;
    readonly embeddedContext: boolean;
  };
  /** When it replays what it remembers of a session that is loaded; `never` though it remembers it. */
  readonly replays: "before" | "behind" | "never";
  readonly replaysForks: "before" | "behind" | "never";
  /** Says every prompt back as `user_message_chunk`. */
  readonly echoes: boolean;
  /** Has its sessions after a restart. */
  readonly remembers: boolean;
  /** Answers a load of a session that it does not have as if it had it. */
  readonly loadsAnything: boolean;
  /** So many loads of each process fail for the moment. */
  readonly failingLoads: number;
}

const when = fc.constantFrom("before", "behind", "never");

export const oddAgent: fc.Arbitrary<OddAgent> = fc.record({
  can: fc.record({
    load: fc.boolean(),
    resume: fc.boolean(),
    fork: fc.boolean(),
    embeddedContext: fc.boolean(),
  }),
  replays: when,
  replaysForks: when,
  echoes: fc.boolean(),
  remembers: fc.boolean(),
  loadsAnything: fc.boolean(),
  failingLoads: fc.constantFrom(0, 0, 1),
});

export interface Streamed {
  readonly sessionUpdate: string;
  readonly [field: string]: unknown;
}

const text = fc.oneof(
  fc.constantFrom("a", "words ", "\n", "```ts\nlet a = 1;\n```", "\u2028é😀", '"quoted" \\ \u0007', ""),
  fc.string({ maxLength: 12, unit: "grapheme" }),
);
const meta = fc.constantFrom({ trace: 1 }, { "odd.dev/x": { deep: [1, "2"] } });
const plainText = text.map((said) => ({ type: "text", text: said }));
const block: fc.Arbitrary<object> = fc.oneof(
  { weight: 6, arbitrary: plainText },
  { weight: 1, arbitrary: text.map((said) => ({ type: "text", text: said, annotations: { priority: 1 } })) },
  { weight: 1, arbitrary: text.map((said) => ({ type: "text", text: said, _meta: { mark: true } })) },
  { weight: 1, arbitrary: fc.constant({ type: "resource_link", uri: "file:///a", name: "a" }) },
);
const write = fc.constantFrom(undefined, undefined, undefined, "update-first", "spaced", "more");
const messageId = fc.constantFrom(undefined, undefined, "m1", "m2");

const chunk = fc
  .record({
    sessionUpdate: fc.constantFrom("agent_message_chunk", "agent_message_chunk", "agent_thought_chunk"),
    content: block,
    messageId,
    _meta: fc.option(meta, { nil: undefined, freq: 8 }),
    $write: write,
  })
  .map(defined);

const toolCallId = fc.constantFrom("t1", "t2", "t3");
const toolContent = fc.array(
  plainText.map((content) => ({ type: "content", content })),
  { maxLength: 2 },
);
const toolFields = {
  toolCallId,
  status: fc.constantFrom(undefined, "pending", "in_progress", "completed", "failed"),
  content: fc.option(toolContent, { nil: undefined }),
  rawInput: fc.constantFrom(undefined, { path: "/a" }, { n: 1e21, big: 12345678901234567 }),
  rawOutput: fc.constantFrom(undefined, "out", { deep: [[[[]]]] }),
  locations: fc.constantFrom(undefined, [{ path: "/a/b.ts", line: 3 }]),
  _meta: fc.constantFrom(
    undefined,
    undefined,
    { terminal_output: { terminal_id: "x", data: "one\n" } },
    { terminal_output: { terminal_id: "x", data: "two\n" } },
    { terminal_exit: { terminal_id: "x", exit_code: 0 } },
  ),
  odd: fc.constantFrom(undefined, undefined, undefined, 1, { a: null }),
  $write: write,
};
const tool = fc
  .oneof(
    fc.record({
      sessionUpdate: fc.constant("tool_call"),
      title: fc.constantFrom("Read", "Run"),
      ...toolFields,
      // Whether one that says none is pending again when it is told anew, clients see differently.
      status: fc.constantFrom("pending", "in_progress", "completed", "failed"),
    }),
    fc.record({
      sessionUpdate: fc.constant("tool_call_update"),
      title: fc.constantFrom(undefined, "Read a.ts"),
      ...toolFields,
    }),
  )
  .map(defined);

const plan = fc
  .array(
    fc.record({
      content: text,
      priority: fc.constant("high"),
      status: fc.constantFrom("pending", "completed"),
    }),
    { maxLength: 2 },
  )
  .map((entries) => ({ sessionUpdate: "plan", entries }));

const state = fc.oneof(
  fc
    .constantFrom("ask", "code")
    .map((currentModeId) => ({ sessionUpdate: "current_mode_update", currentModeId })),
  fc.nat(9).map((used) => ({ sessionUpdate: "usage_update", used, size: 100 })),
  fc.constantFrom("one", "two").map((title) => ({ sessionUpdate: "session_info_update", title })),
  fc.constantFrom("run", "test").map((name) => ({
    sessionUpdate: "available_commands_update",
    availableCommands: [{ name, description: "d" }],
  })),
);

const unknown = fc.nat(3).map((n) => ({ sessionUpdate: "_odd/sparkle", n, deep: { a: [n] } }));

const update: fc.Arbitrary<Streamed> = fc.oneof(
  { weight: 8, arbitrary: chunk },
  { weight: 6, arbitrary: tool },
  { weight: 1, arbitrary: plan },
  { weight: 1, arbitrary: state },
  { weight: 1, arbitrary: unknown },
);
/** Some is said by subagents, in sessions of their own. */
const speaker = fc.constantFrom(undefined, undefined, undefined, undefined, undefined, "kid", "other kid");

export const streamed: fc.Arbitrary<Streamed[]> = fc.array(
  fc.tuple(update, speaker).map(([each, $as]) => ($as === undefined ? each : { ...each, $as })),
  { maxLength: 12 },
);

/** Without fields that are undefined: JSON has none. */
function defined<T extends object>(value: T): Streamed {
  return Object.fromEntries(
    Object.entries(value).filter(([, each]) => each !== undefined),
  ) as unknown as Streamed;
}
