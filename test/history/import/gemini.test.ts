import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { gemini } from "../../../src/history/import/gemini/reader.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { countingOf, entriesOf, importFrom, outline, registryOf, scratchHome } from "./rig.ts";

const scratch = scratchHome();
const sessionId = "5d0c0000-1111-4222-8333-444455556666";
let homes = 0;
const at = (minute: number) => new Date(Date.UTC(2026, 2, 1, 10, minute)).toISOString();
const meta = { sessionId, projectHash: "h", startTime: at(0), lastUpdated: at(0), kind: "main" };
const user = (id: string, text: string) => ({ id, timestamp: at(1), type: "user", content: [{ text }] });
const says = (id: string, text: string, more: object = {}) => ({
  id,
  timestamp: at(2),
  type: "gemini",
  content: text,
  model: "a-model",
  ...more,
});
const context = user("c0", "<session_context>a folder</session_context>");

interface Where {
  readonly name?: string;
  readonly slug?: string;
  readonly text?: string;
  /** Files of subagents, by their names. */
  readonly subagents?: Readonly<Record<string, readonly unknown[]>>;
}

const linesOf = (records: readonly unknown[]) => records.map((each) => `${JSON.stringify(each)}\n`).join("");

async function imported(
  records: readonly unknown[],
  { name = "session-2026-03-01T10-00-5d0c0000.jsonl", slug = "apple", text, subagents = {} }: Where = {},
) {
  const home = path.join(scratch, `home-${(homes += 1)}`);
  const place = path.join(home, ".gemini", "tmp", slug);
  fs.mkdirSync(path.join(place, "chats"), { recursive: true });
  if (slug === "apple") fs.writeFileSync(path.join(place, ".project_root"), "/home/ada/apple\n");
  fs.writeFileSync(
    path.join(home, ".gemini", "projects.json"),
    JSON.stringify({ projects: { "/home/ada/pear": "pear" } }),
  );
  fs.writeFileSync(path.join(place, "chats", name), text ?? linesOf(records));
  for (const [agent, told] of Object.entries(subagents)) {
    fs.mkdirSync(path.join(place, "chats", sessionId), { recursive: true });
    fs.writeFileSync(path.join(place, "chats", sessionId, `${agent}.jsonl`), linesOf(told));
  }
  const registry = registryOf(openMemoryStore());
  const { told, problems } = await importFrom(registry, gemini, home);
  const { items } = await registry.list();
  return {
    told,
    problems,
    record: items[0],
    lines: outline(await entriesOf(registry, told[0]?.id)),
    counting: outline(await countingOf(registry, told[0]?.id)),
  };
}
const ended = 'end {"stopReason":"end_turn"}';

describe("a history of Gemini CLI", () => {
  it("takes a message that is told again in the place of the one before, and no context for the user's", async () => {
    const call = {
      id: "t1",
      name: "run_shell_command",
      args: { command: "ls" },
      status: "executing",
      timestamp: at(2),
    };
    const done = {
      ...call,
      status: "success",
      result: [{ functionResponse: { id: "t1", response: { output: "spade" } } }],
    };
    const thoughts = [{ subject: "Looking", description: "for a spade", timestamp: at(2) }];
    const { counting, record, problems } = await imported([
      meta,
      context,
      user("u1", "look"),
      says("g1", ""),
      says("g1", "I look.", { toolCalls: [call] }),
      says("g1", "I look.", {
        toolCalls: [done],
        thoughts,
        tokens: { input: 3, output: 2, cached: 1, total: 6 },
      }),
      { $set: { summary: "A spade", lastUpdated: at(3) } },
      { id: "i1", timestamp: at(3), type: "info", content: "an update is there" },
    ]);
    expect(problems).toEqual([]);
    expect(counting.slice(0, -1)).toEqual([
      "prompt look",
      "agent_thought_chunk Looking\n\nfor a spade",
      "agent_message_chunk I look.",
      "tool_call ls | completed | spade",
    ]);
    expect(counting.at(-1)).toContain('"totalTokens":6');
    expect(record).toMatchObject({ cwd: "/home/ada/apple", title: "A spade", agentSessionIds: [sessionId] });
  });

  it("goes back to before a message, and to nothing for one that is not there", async () => {
    const { counting, lines } = await imported([
      meta,
      user("u1", "one"),
      says("g1", "1"),
      user("u2", "two"),
      says("g2", "2"),
      { $rewindTo: "u2" },
      user("u3", "three"),
      says("g3", "3"),
    ]);
    expect(counting).toEqual([
      "prompt one",
      "agent_message_chunk 1",
      ended,
      "prompt three",
      "agent_message_chunk 3",
      ended,
    ]);
    expect(lines).toContain("agent_message_chunk 2");
    const all = await imported([meta, user("u1", "one"), { $rewindTo: "gone" }, user("u2", "two")]);
    expect(all.counting).toEqual(["prompt two", ended]);
  });

  it("takes a list of messages in the place of all", async () => {
    const { counting } = await imported([
      meta,
      user("u1", "one"),
      says("g1", "1"),
      { $set: { messages: [user("u9", "anew"), says("g9", "9"), "odd", null] } },
    ]);
    expect(counting).toEqual(["prompt anew", "agent_message_chunk 9", ended]);
  });

  it("keeps what a list of messages leaves out, as what does not count any more", async () => {
    const { counting, lines } = await imported([
      meta,
      user("u1", "one"),
      says("g1", "1"),
      user("u2", "two"),
      { $set: { messages: [user("u1", "one"), says("g1", "1, masked")] } },
    ]);
    expect(counting).toEqual(["prompt one", "agent_message_chunk 1, masked", ended]);
    expect(lines).toContain("prompt two");
    const masked = await imported([
      meta,
      user("u1", "one"),
      says("g1", "1"),
      { $set: { messages: [user("u1", "one"), says("g1", "1, masked")] } },
    ]);
    expect(masked.lines).toEqual(["prompt one", "agent_message_chunk 1, masked", ended]);
  });

  it("has a summary where the history was compressed, and all that was said before", async () => {
    const { lines } = await imported([
      meta,
      user("u1", "one"),
      says("g1", "1"),
      user("u2", "two"),
      says("g2", "2"),
      {
        $set: {
          messages: [
            user("s1", "<state_snapshot>They counted.</state_snapshot>"),
            says("s2", "Got it. Thanks for the additional context!"),
            user("u2", "two"),
            says("g2", "2"),
          ],
        },
      },
      user("u3", "three"),
    ]);
    expect(lines).toEqual([
      "prompt one",
      "agent_message_chunk 1",
      ended,
      "prompt two",
      "agent_message_chunk 2",
      "compaction_update completed | <state_snapshot>They counted.</state_snapshot>",
      ended,
      "prompt three",
      ended,
    ]);
  });

  it("shows subagents, whose files lie beside the session, as children where they were asked", async () => {
    const call = { id: "t1", name: "delegate", args: {}, status: "success", agentId: "k3x9aa" };
    const sub = { sessionId: "k3x9aa", projectHash: "h", kind: "subagent" };
    const read = { id: "t2", name: "read_file", args: { file_path: "/a" }, status: "success" };
    const { lines, told, problems } = await imported(
      [meta, user("u1", "go"), says("g1", "I ask.", { toolCalls: [call] }), says("g2", "Done.")],
      {
        subagents: {
          k3x9aa: [
            sub,
            user("a1", "look for a spade"),
            says("a2", "no"),
            { $rewindTo: "a2" },
            says("a3", "I look.", { toolCalls: [read], tokens: { total: 9 } }),
          ],
          lost: [{ ...sub, sessionId: "lost" }, user("b1", "never named"), "odd"],
        },
      },
    );
    expect(told).toHaveLength(1);
    expect(problems).toMatchObject([{ line: 3, reason: "is no JSON object" }]);
    expect(lines).toEqual([
      "prompt go",
      "agent_message_chunk I ask.",
      "tool_call delegate | completed",
      "subagent_update look for a spade",
      "  child user_message_chunk look for a spade",
      "  child agent_message_chunk I look.",
      "  child tool_call read_file /a | completed",
      "agent_message_chunk Done.",
      "subagent_update never named",
      "  child user_message_chunk never named",
      ended,
    ]);
  });

  it("tells a subagent once that several calls name, and again where that does not count any more", async () => {
    const asking = (id: string, agentId = "k3x9aa") =>
      says(id, `${id} asks.`, {
        toolCalls: [{ id: `t-${id}`, name: "delegate", args: {}, status: "success", agentId }],
      });
    const subagents = { k3x9aa: [user("a1", "look for a spade")], other: [user("b1", "look for a rake")] };
    const { lines, counting } = await imported(
      [
        meta,
        ...[user("u1", "go"), asking("g1"), asking("g2"), user("u2", "again"), asking("g3")],
        asking("g4", "other"),
        ...[{ $rewindTo: "u2" }, user("u3", "anew"), asking("g5"), asking("g6", "other")],
        ...[{ $rewindTo: "u1" }, user("u4", "all anew"), asking("g7"), asking("g8", "other")],
      ],
      { subagents },
    );
    const told = (of: readonly string[], what: string) =>
      of.flatMap((line, at) => (line === `subagent_update look for a ${what}` ? [of[at - 1]] : []));
    const byCall = "tool_call delegate | completed";
    expect(told(lines, "spade")).toEqual([byCall, byCall]);
    expect(told(lines, "rake")).toEqual([byCall, byCall, byCall]);
    expect(counting.slice(0, 6)).toEqual([
      "prompt all anew",
      "agent_message_chunk g7 asks.",
      byCall,
      "subagent_update look for a spade",
      "  child user_message_chunk look for a spade",
      "agent_message_chunk g8 asks.",
    ]);
  });

  it("makes not much of little, however often it goes back and asks the same subagent again", async () => {
    const call = { id: "t", name: "delegate", args: {}, status: "success", agentId: "k3x9aa" };
    const round = (at: number) => [
      user(`u${at}`, "go"),
      says(`g${at}`, "", { toolCalls: [call] }),
      { $rewindTo: `u${at}` },
    ];
    const rounds = Array.from({ length: 200 }, (_, at) => round(at));
    const messages = Array.from({ length: 200 }, (_, at) => says(`a${at}`, "word"));
    const { lines } = await imported([meta, ...rounds.flat()], { subagents: { k3x9aa: messages } });
    expect(lines.filter((line) => line.startsWith("  child")).length).toBe(2000);
  });

  it("shows what was changed in a file, and a list of things to do as a plan", async () => {
    const changed = {
      fileName: "a.txt",
      filePath: "/home/ada/a.txt",
      fileDiff: "",
      originalContent: null,
      newContent: "x",
    };
    const { counting } = await imported([
      meta,
      user("u1", "go"),
      says("g1", "", {
        toolCalls: [
          {
            id: "t1",
            name: "write_file",
            args: { file_path: "/home/ada/a.txt" },
            status: "success",
            resultDisplay: changed,
          },
          {
            id: "t2",
            name: "write_todos",
            args: { todos: [{ description: "dig", status: "completed" }] },
            status: "success",
          },
          { id: "t3", name: "glob", args: { pattern: "*" }, status: "error", resultDisplay: "no" },
        ],
      }),
    ]);
    expect(counting.slice(1, -1)).toEqual([
      "tool_call write_file /home/ada/a.txt | completed | /home/ada/a.txt: null -> x",
      "plan completed: dig",
      "tool_call glob | failed | no",
    ]);
  });

  it("reads older files: one document, in a folder that is named by a hash", async () => {
    const slug = createHash("sha256").update("/home/ada/pear").digest("hex");
    const text = JSON.stringify({ ...meta, messages: [user("u1", "one"), says("g1", "1")] }, undefined, 2);
    const { counting, record } = await imported([], {
      name: "session-2025-06-01T10-00-5d0c0000.json",
      slug,
      text,
    });
    expect(counting).toEqual(["prompt one", "agent_message_chunk 1", ended]);
    expect(record?.cwd).toBe("/home/ada/pear");
    const broken = await imported([], { name: "session-x.json", text: `{"sessionId":"a","messages":[` });
    expect(broken.problems).toMatchObject([{ reason: "is no JSON" }]);
    expect(broken.told).toMatchObject([{ what: "empty" }]);
  });

  it("names a file that does not say which session it is", async () => {
    const { problems, told } = await imported([], { text: "rubbish\n" });
    expect(problems).toMatchObject([{ reason: "does not say which session it is" }]);
    expect(told).toEqual([]);
  });
});
