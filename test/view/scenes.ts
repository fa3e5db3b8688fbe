/** Conversations to be looked at: one with everything in it, a very long one, one that means harm. */
import type { NewEntry } from "../../src/store/contract.ts";
import { end, entry, prompt, say, update } from "../history/talk.ts";

const answer = `## What was wrong

The token was refreshed **after** the request had been sent, so the *first* request failed with \`401\`:

1. \`refresh()\` was not awaited
2. the retry used the old header
   - also in \`upload()\`
   - and in the tests

| file | before | after |
| --- | :---: | ---: |
| \`src/auth.ts\` | 12 | 9 |
| \`src/upload.ts\` | 4 | 4 |

> Tokens live for an hour; see [the RFC](https://www.rfc-editor.org/rfc/rfc6750).

\`\`\`ts
export async function authorized(request: Request): Promise<Response> {
  const token = await refresh();
  return fetch(request, { headers: { authorization: \`Bearer \${token}\` } });
}
\`\`\`

- [x] awaited
- [ ] released

Next: run \`npm test\` ~~twice~~ once.`;

const before = `export function authorized(request) {
  const token = current();
  refresh();
  return fetch(request, headers(token));
}
`;
const after = `export async function authorized(request) {
  const token = await refresh();
  return fetch(request, headers(token));
}
`;

export function rich(): NewEntry[] {
  return [
    prompt("The first request after an hour fails with 401. Why?\nPlease mend it, and add a test."),
    say("The user wants the refresh to be awaited. I look at the code first.", "agent_thought_chunk"),
    say("I look at how tokens are refreshed."),
    update("tool_call", {
      toolCallId: "read",
      title: "Read src/auth.ts",
      kind: "read",
      status: "completed",
      locations: [{ path: "src/auth.ts" }],
      content: [{ type: "content", content: { type: "text", text: before } }],
    }),
    update("plan", {
      entries: [
        { content: "Find where the token is refreshed", status: "completed" },
        { content: "Await it", status: "in_progress" },
        { content: "Add a test", status: "pending" },
      ],
    }),
    update("tool_call", { toolCallId: "edit", title: "Edit src/auth.ts", kind: "edit", status: "pending" }),
    entry("request", {
      id: 7,
      method: "session/request_permission",
      params: {
        toolCall: { toolCallId: "edit", title: "Edit src/auth.ts" },
        options: [
          { optionId: "yes", name: "Allow once", kind: "allow_once" },
          { optionId: "no", name: "Reject", kind: "reject_once" },
        ],
      },
    }),
    entry("response", {
      id: 7,
      method: "session/request_permission",
      result: { outcome: { outcome: "selected", optionId: "yes" } },
    }),
    update("tool_call_update", {
      toolCallId: "edit",
      status: "completed",
      content: [{ type: "diff", path: "src/auth.ts", oldText: before, newText: after }],
    }),
    update("tool_call", {
      toolCallId: "test",
      title: "npm test",
      kind: "execute",
      status: "failed",
      rawInput: { command: "npm test" },
      content: [
        { type: "content", content: { type: "text", text: "1 test failed: upload › after an hour" } },
      ],
    }),
    say(answer),
    update("usage_update", { used: 58_000, size: 200_000, cost: { amount: 0.42, currency: "USD" } }),
    end({
      result: {
        stopReason: "end_turn",
        usage: { totalTokens: 18_204, inputTokens: 17_000, outputTokens: 1_204 },
      },
    }),
  ];
}

const bidi = "\u202egnp.exe\u202c";

/** Whatever an agent, or a repository that it has read, may put into a conversation. */
export function hostile(): NewEntry[] {
  const script = "<script>globalThis.harmed = 1</script><img src=x onerror='globalThis.harmed = 2'>";
  return [
    prompt(
      `${script} [click](javascript:globalThis.harmed=3) [data](data:text/html,<script>x</script>) ![pixel](https://tracker.example/p.png)`,
    ),
    say(
      `Names: ${bidi} \u0007\u001b[31mred\u001b[0m </article></main>${script} [bank](https://bank.example@evil.example/) <https://ok.example/> [x](JaVaScRiPt:globalThis.harmed=4) [vb](vbscript:x)`,
    ),
    update("tool_call", {
      toolCallId: "1",
      title: `${script}${bidi}`,
      kind: '"><b>',
      status: "completed",
      rawInput: deep(4000),
      content: [
        { type: "diff", path: `${script}/x`, oldText: script, newText: `${script}${bidi}` },
        {
          type: "content",
          content: {
            type: "image",
            mimeType: "image/svg+xml",
            data: "PHN2Zz4=",
            uri: "javascript:globalThis.harmed=5",
          },
        },
        {
          type: "content",
          content: { type: "resource_link", uri: "javascript:globalThis.harmed=6", name: "here" },
        },
      ],
    }),
    say(`A line of a megabyte: ${"x".repeat(1 << 20)}`),
    update("plan", { entries: [{ content: script, status: "__proto__" }] }),
    say(
      `${"> ".repeat(5000)}deep\n\n${"- ".repeat(3000)}list\n\n${"[".repeat(12_000)}${"*".repeat(9_000)}a${"_a ".repeat(3000)}`,
    ),
    update("tool_call", { toolCallId: "2", title: "Between", status: "completed" }),
    say(
      "`"
        .repeat(500)
        .concat(
          " ",
          "``` ".repeat(3000),
          "**a ".repeat(2000),
          "<".repeat(2000),
          "![".repeat(2000),
          "](".repeat(2000),
        ),
    ),
    entry("request", {
      id: "x",
      method: "session/request_permission",
      params: {
        toolCall: { toolCallId: "1", title: script },
        options: [{ optionId: "a", name: `${script}${bidi}`, kind: "allow_once" }],
      },
    }),
    end({ error: { code: 1, message: script } }),
  ];
}

function deep(levels: number): object {
  let value: object = {};
  for (let at = 0; at < levels; at += 1) value = { a: value };
  return value;
}

/** Questions and answers, each of some lines, numbered. */
export function* long(turns: number): Generator<NewEntry[]> {
  for (let turn = 1; turn <= turns; turn += 1)
    yield [
      prompt(`Question ${turn}`),
      say(`Answer ${turn}.\n\n${"Some words to fill a line or two. ".repeat(1 + (turn % 7))}`),
      end(),
    ];
}

/** Together as many as a turn may have. */
export function* batches(parts: Iterable<readonly NewEntry[]>): Generator<NewEntry[]> {
  let batch: NewEntry[] = [];
  for (const part of parts) {
    batch.push(...part);
    if (batch.length < 900) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
