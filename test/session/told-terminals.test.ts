/** What a terminal said stands in the call that shows it, wherever the journal has it. */
import { describe, expect, it } from "vitest";
import type { Entry, NewEntry } from "../../src/store/contract.ts";
import { withTerminals } from "../../src/session/told-terminals.ts";
import { end, entry, ofKid, prompt, say, update } from "../history/talk.ts";

const shows = (terminalId: string, fields: object = {}) =>
  update("tool_call", {
    toolCallId: "c",
    title: "Test",
    content: [{ type: "terminal", terminalId }],
    ...fields,
  });
const news = (fields: object) => update("tool_call_update", { toolCallId: "c", ...fields });
const ask = (id: number, method: string, params: object) => entry("request", { id, method, params });
const answer = (id: number, method: string, result: object) => entry("response", { id, method, result });

/** The content of calls, as it is told; entries in pages of so many. */
async function told(entries: readonly NewEntry[], pageLength = 100) {
  const all = entries.map((each, at): Entry => ({ ...each, seq: at + 1 }));
  const reads: number[] = [];
  const pages = async function* (from: number) {
    for (let at = from; at < all.length; at += pageLength) yield all.slice(at, at + pageLength);
  };
  const readFrom = (seq: number) => {
    reads.push(seq);
    return pages(seq - 1);
  };
  const shown: Entry[] = [];
  for await (const page of withTerminals(pages(0), readFrom)) shown.push(...page);
  const texts = shown.flatMap(({ data }) => {
    const { content = [] } = (JSON.parse(data) as { update?: { content?: unknown } }).update ?? {};
    return Array.isArray(content)
      ? content.map((item: { type: string; content?: { text: string } }) => item.content?.text ?? item.type)
      : [];
  });
  return { texts, shown, reads };
}

const byClient = [
  prompt("test it"),
  shows("t1", { status: "completed" }),
  ask(1, "terminal/create", { command: "npm", args: ["test"] }),
  answer(1, "terminal/create", { terminalId: "t1" }),
  ask(2, "terminal/output", { terminalId: "t1" }),
  answer(2, "terminal/output", { output: "1 failed\n", truncated: true }),
  ask(3, "terminal/wait_for_exit", { terminalId: "t1" }),
  answer(3, "terminal/wait_for_exit", { exitCode: 2 }),
  end(),
];

describe("what a terminal said", () => {
  it.each([1, 2, 3, 100])("stands in its call, whose client ran it (pages of %s)", async (pageLength) => {
    const { texts } = await told([...byClient, prompt("x"), end()], pageLength);
    expect(texts).toEqual(["$ npm test\n[…]\n1 failed\nExit code 2."]);
  });

  it("is told of the agent's own, and pieces of it are no news", async () => {
    const piece = (data: string) => news({ _meta: { terminal_output: { terminal_id: "t1", data } } });
    const delta = { terminal_output_delta: { terminal_id: "t1", data: "three\n" } };
    const exit = { terminal_exit: { terminal_id: "t1", exit_code: null, signal: "SIGTERM" } };
    const { texts, shown } = await told([
      prompt("test it"),
      shows("t1", { _meta: { terminal_info: { terminal_id: "t1" } } }),
      piece("one\n"),
      say("meanwhile"),
      piece("two\n"),
      news({ status: "failed", _meta: { ...delta, ...exit } }),
      end(),
    ]);
    expect(texts).toEqual(["one\ntwo\nthree\nEnded by SIGTERM."]);
    expect(shown.map(({ seq }) => seq)).toEqual([1, 2, 4, 6, 7]);
  });

  it("is told in a subagent's call, too", async () => {
    const kids = ofKid("tool_call", { toolCallId: "k", content: [{ type: "terminal", terminalId: "t1" }] });
    const { texts, shown } = await told([prompt("go"), kids, ...byClient.slice(2)]);
    expect(texts).toEqual(["$ npm test\n[…]\n1 failed\nExit code 2."]);
    expect(shown[1]?.data.startsWith('{"acp-sidecar.child":"')).toBe(true);
  });

  it("stays open where nothing is known, and the words of others stay to the letter", async () => {
    const words = say('a terminal, "terminalId" and "terminal_output" are words, too');
    const given = [prompt("go"), shows("t9"), words, end()];
    const { texts, shown } = await told(given);
    expect(texts).toEqual(["terminal"]);
    expect(shown[2]?.data).toBe(words.data);
  });

  it("is looked for once a turn, however many calls show terminals", async () => {
    const calls = Array.from({ length: 50 }, (_, at) => shows(`t${at}`));
    const { reads } = await told([prompt("go"), ...calls, end(), prompt("x"), shows("t"), end()], 10);
    expect(reads).toEqual([11]);
  });

  it("is held up to a million characters a terminal: its end", async () => {
    const piece = news({ _meta: { terminal_output: { terminal_id: "t1", data: "x".repeat(400_000) } } });
    const last = news({ _meta: { terminal_output: { terminal_id: "t1", data: "last" } } });
    const { texts } = await told([prompt("go"), shows("t1"), piece, piece, piece, last, end()]);
    expect(texts[0]?.length).toBe((1 << 20) + "[…]\n".length);
    expect(texts[0]?.endsWith("xlast")).toBe(true);
  });
});
