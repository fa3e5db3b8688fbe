import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { claude } from "../../../src/history/import/claude/reader.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import {
  asLines,
  assistant,
  claudeFolder,
  claudeId,
  plainTurns,
  record,
  text,
  toolResult,
  toolUse,
  user,
} from "./claude-files.ts";
import { countingOf, entriesOf, importFrom, outline, registryOf, scratchHome } from "./rig.ts";

const scratch = scratchHome();
let homes = 0;

/** What is imported from a session with these records. */
async function imported(records: readonly unknown[], prepare: (file: string) => void = () => undefined) {
  const home = path.join(scratch, `home-${(homes += 1)}`);
  const file = claudeFolder(home, records);
  prepare(file);
  const registry = registryOf(openMemoryStore());
  const { told, problems } = await importFrom(registry, claude, home);
  const entries = await entriesOf(registry, told[0]?.id);
  const counting = await countingOf(registry, told[0]?.id);
  const { items } = await registry.list();
  return {
    told,
    problems,
    entries,
    lines: outline(entries),
    counting: outline(counting),
    record: items[0],
    registry,
  };
}

const ended = 'end {"stopReason":"end_turn"';

describe("a history of Claude Code", () => {
  it("becomes prompts, thoughts, answers, tool calls with their results, and ends of turns", async () => {
    const { lines, problems } = await imported(plainTurns);
    expect(problems).toEqual([]);
    expect(lines.map((line) => line.replace(/,"usage.*/, ""))).toEqual([
      "prompt plant an apple tree",
      "agent_thought_chunk where is the garden",
      "agent_message_chunk I look.",
      "tool_call ls garden | pending",
      "tool_call_update completed | a spade",
      "agent_message_chunk There is a spade.",
      ended,
      "prompt dig a hole",
      "tool_call Edit /home/ada/apple/hole.txt | pending | /home/ada/apple/hole.txt:  -> o",
      "tool_call_update failed | no spade",
      "agent_message_chunk It failed.",
      ended,
    ]);
  });

  it("keeps native ids and kinds, the model, one message for one answer, and what it cost", async () => {
    const { entries, registry, record } = await imported(plainTurns);
    const data = entries.map((entry) => JSON.parse(entry.data) as Record<string, never>);
    expect(data[0]).toMatchObject({
      messageId: "u1",
      _meta: { "acp-sidecar": { native: { kind: "user", id: "u1" } } },
    });
    expect(data[1]).toMatchObject({
      update: { messageId: "m1", _meta: { "acp-sidecar": { native: { id: "a1", model: "a-model" } } } },
    });
    // Two messages in the first turn; each of their records tells the same tokens.
    expect(data[6]).toMatchObject({
      result: { usage: { inputTokens: 6, outputTokens: 4, totalTokens: 10 } },
    });
    const said: string[] = [];
    for await (const { role } of registry.messages(record?.id as never)) said.push(role);
    expect(said).toEqual(["user", "assistant", "assistant", "user", "assistant"]);
  });

  it("goes back where a prompt hangs on an earlier turn: what came between is superseded", async () => {
    const { lines, counting, problems } = await imported([
      ...plainTurns,
      user("u3", "a4", "dig it with hands"),
      assistant("a7", "u3", "m5", [text("Done.")]),
    ]);
    expect(problems).toEqual([]);
    expect(lines).toContain("prompt dig a hole");
    expect(lines.filter((line) => line.startsWith("rewind"))).toHaveLength(1);
    expect(counting.map((line) => line.replace(/,"usage.*/, ""))).toEqual([
      "prompt plant an apple tree",
      "agent_thought_chunk where is the garden",
      "agent_message_chunk I look.",
      "tool_call ls garden | pending",
      "tool_call_update completed | a spade",
      "agent_message_chunk There is a spade.",
      ended,
      "prompt dig it with hands",
      "agent_message_chunk Done.",
      ended,
    ]);
  });

  it("goes back to nothing where the first prompt was said anew", async () => {
    const { counting } = await imported([...plainTurns, user("u3", null, "plant a plum tree")]);
    expect(counting).toEqual(["prompt plant a plum tree", `${ended}}`]);
  });

  it("takes results of calls side by side, and records before their parents, for one turn", async () => {
    const { counting } = await imported([
      user("u1", null, "look twice"),
      assistant("a2", "a1", "m1", [toolUse("t2", "Read", { file_path: "/b" })]),
      assistant("a1", "u1", "m1", [toolUse("t1", "Read", { file_path: "/a" })]),
      user("r1", "a1", [toolResult("t1", "one")]),
      user("r2", "a2", [toolResult("t2", "two")]),
      assistant("a3", "r2", "m2", [text("Both.")]),
      user("u2", "a3", "thanks"),
    ]);
    expect(counting.filter((line) => !line.startsWith("end"))).toEqual([
      "prompt look twice",
      "tool_call Read /b | pending",
      "tool_call Read /a | pending",
      "tool_call_update completed | one",
      "tool_call_update completed | two",
      "agent_message_chunk Both.",
      "prompt thanks",
    ]);
  });

  it("knows what the program put in: meta, caveats, commands and what they print, an interruption", async () => {
    const { counting } = await imported([
      user("x1", null, "<local-command-caveat>Caveat</local-command-caveat>", { isMeta: true }),
      user(
        "u1",
        "x1",
        "<command-name>/model</command-name>\n<command-message>model</command-message>\n<command-args>big</command-args>",
      ),
      user("x2", "u1", "<local-command-stdout>now big</local-command-stdout>"),
      user("u2", "x2", "<bash-input>ls</bash-input>"),
      user("x3", "u2", "<bash-stdout>a spade</bash-stdout><bash-stderr></bash-stderr>"),
      user("u3", "x3", "dig"),
      user("x4", "u3", [text("[Request interrupted by user]")]),
      record("system", "s1", "x4", { subtype: "informational", content: "a note" }),
      record("file-history-snapshot", "f1", null),
    ]);
    expect(counting).toEqual([
      "prompt /model big",
      "agent_message_chunk now big",
      `${ended}}`,
      "prompt !ls",
      "agent_message_chunk a spade",
      `${ended}}`,
      "prompt dig",
      'end {"stopReason":"cancelled"}',
    ]);
  });

  it("takes what was said while the agent worked for a prompt, and a summary for no user's words", async () => {
    const { counting } = await imported([
      user("u1", null, "dig"),
      record("attachment", "q1", "u1", {
        attachment: { type: "queued_command", prompt: "faster", commandMode: "prompt" },
      }),
      record("attachment", "q2", "u1", { attachment: { type: "todo_reminder", content: "hidden" } }),
      record("system", "b1", null, { subtype: "compact_boundary", logicalParentUuid: "q1" }),
      user("c1", "b1", "They dug.", { isCompactSummary: true }),
      user("u2", "c1", "and now?"),
    ]);
    expect(counting).toEqual([
      "prompt dig",
      "prompt faster",
      "compaction_update completed | They dug.",
      `${ended}}`,
      "prompt and now?",
      `${ended}}`,
    ]);
  });

  it("shows a list of things to do as a plan", async () => {
    const todos = [
      { content: "dig", status: "completed" },
      { content: "plant", status: "in_progress" },
      null,
    ];
    const { lines } = await imported([
      user("u1", null, "go"),
      assistant("a1", "u1", "m1", [toolUse("t1", "TodoWrite", { todos })]),
      user("r1", "a1", [toolResult("t1", "ok")]),
    ]);
    expect(lines[1]).toBe("plan completed: dig, in_progress: plant");
    expect(lines).toHaveLength(3);
  });

  it("has subagents as children, from files beside it and from between its records", async () => {
    const { lines, record: session } = await imported(
      [
        user("u1", null, "ask others"),
        assistant("a1", "u1", "m1", [
          toolUse("t1", "Task", { description: "count", prompt: "count apples" }),
        ]),
        user("s1", null, "count pears", { isSidechain: true }),
        assistant("s2", "s1", "m9", [text("no pears")], { isSidechain: true }),
        user("r1", "a1", [toolResult("t1", "nine")], { toolUseResult: { agentId: "abc" } }),
      ],
      (file) => {
        const folder = path.join(file.replace(".jsonl", ""), "subagents");
        fs.mkdirSync(folder, { recursive: true });
        const side = { isSidechain: true };
        fs.writeFileSync(
          path.join(folder, "agent-abc.jsonl"),
          asLines([
            user("z1", null, "count apples", side),
            assistant("z2", "z1", "m8", [text("nine")], side),
          ]),
        );
      },
    );
    expect(session).toBeDefined();
    expect(lines.slice(1)).toEqual([
      "tool_call Task count | pending",
      "subagent_update count pears",
      "  child user_message_chunk count pears",
      "  child agent_message_chunk no pears",
      "tool_call_update completed | nine",
      "subagent_update count apples",
      "  child user_message_chunk count apples",
      "  child agent_message_chunk nine",
      expect.stringContaining("end"),
    ]);
  });

  it("tells a subagent once whose results are several, wherever its file lies", async () => {
    const result = (uuid: string, agentId: string) =>
      user(uuid, "a1", [toolResult(`t-${uuid}`, "nine")], { toolUseResult: { agentId } });
    const { lines, problems } = await imported(
      [
        user("u1", null, "ask others"),
        assistant("a1", "u1", "m1", [text("I ask.")]),
        ...[result("r1", "old"), result("r2", "old"), result("r3", "new"), result("r4", "new")],
        ...[result("r5", "gone"), result("r6", "../../x"), result("r7", "gone")],
      ],
      (file) => {
        const agent = (where: string, id: string) => {
          fs.mkdirSync(where, { recursive: true });
          const told = user(`${id}-1`, null, `count for ${id}`, { isSidechain: true });
          fs.writeFileSync(path.join(where, `agent-${id}.jsonl`), asLines([told]));
        };
        agent(path.dirname(file), "old");
        agent(path.join(file.replace(".jsonl", ""), "subagents"), "new");
      },
    );
    expect(problems).toEqual([]);
    expect(lines.filter((line) => line.startsWith("  child"))).toEqual([
      "  child user_message_chunk count for old",
      "  child user_message_chunk count for new",
    ]);
  });

  it("reads a large output from the file beside it, and no file that lies elsewhere", async () => {
    const { lines } = await imported(
      [
        user("u1", null, "go"),
        assistant("a1", "u1", "m1", [toolUse("t1", "Bash", { command: "big" })]),
        user("r1", "a1", [toolResult("t1", "short")], {
          toolUseResult: { persistedOutputPath: "/elsewhere/tool-results/b1.txt" },
        }),
        user("r2", "a1", [toolResult("t2", "kept")], {
          toolUseResult: { persistedOutputPath: "/etc/passwd" },
        }),
      ],
      (file) => {
        const folder = path.join(file.replace(".jsonl", ""), "tool-results");
        fs.mkdirSync(folder, { recursive: true });
        fs.writeFileSync(path.join(folder, "b1.txt"), "all of it");
      },
    );
    expect(lines[2]).toBe("tool_call_update completed | all of it");
    expect(lines[3]).toBe("tool_call_update completed | kept");
  });

  it("names a session as its user did, or the program, or by its first words", async () => {
    const summary = { type: "summary", summary: "Trees", leafUuid: "a6" };
    const own = { type: "custom-title", customTitle: "My garden", sessionId: claudeId };
    expect((await imported(plainTurns)).record?.title).toBe("plant an apple tree");
    expect((await imported([summary, ...plainTurns])).record?.title).toBe("Trees");
    expect((await imported([summary, ...plainTurns, own])).record?.title).toBe("My garden");
  });

  it("takes a record that stands there twice once, and images for images", async () => {
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } };
    const { lines } = await imported([
      user("u1", null, [text("see "), image]),
      user("u1", null, [text("see "), image]),
    ]);
    expect(lines[0]).toBe("prompt see  / [image]");
    expect(lines).toHaveLength(2);
  });

  it("has no session without a word", async () => {
    const { told, registry } = await imported([record("file-history-snapshot", "f1", null)]);
    expect(told).toMatchObject([{ what: "empty" }]);
    expect(await registry.count()).toBe(0);
  });

  it("takes two records that share an id and say different things, and a copy once", async () => {
    const { counting, entries } = await imported([
      user("u1", null, "plant"),
      assistant("a1", "u1", "m1", [text("I dig.")]),
      assistant("a1", "u1", "m1", [text("I dig.")]),
      assistant("a1", "u1", "m2", [text("I water.")]),
      user("u1", "a1", "and again"),
      user("u1", "a1", "and again"),
    ]);
    expect(counting.map((line) => line.replace(/,"usage.*/, ""))).toEqual([
      "prompt plant",
      "agent_message_chunk I dig.",
      "agent_message_chunk I water.",
      ended,
      "prompt and again",
      `${ended}}`,
    ]);
    const ids = entries
      .filter(({ kind }) => kind === "prompt")
      .map(({ data }) => data.includes('"messageId"'));
    expect(ids).toEqual([true, false]);
  });

  it("shares with its parent what a branch repeats of it", async () => {
    const home = path.join(scratch, `home-${(homes += 1)}`);
    const branchId = "0f8b2f6e-2222-4222-8333-444455556666";
    claudeFolder(home, plainTurns);
    const copied = plainTurns.map((each) => ({
      ...(each as object),
      sessionId: branchId,
      forkedFrom: { sessionId: claudeId, messageUuid: "x" },
    }));
    claudeFolder(home, [...copied, user("b1", "a6", "and a pear")], branchId);
    const registry = registryOf(openMemoryStore());
    const { told } = await importFrom(registry, claude, home);
    const [parent, branch] = told;
    expect(branch).toMatchObject({ what: "imported", entries: 2 });
    const record = await registry.get(branch?.id as never);
    expect(record.lineage).toEqual({ parentId: parent?.id, atSeq: record.headSeq - 2 });
    const lines = outline(await entriesOf(registry, branch?.id));
    expect(lines.slice(0, -2)).toEqual(outline(await entriesOf(registry, parent?.id)));
    expect(lines.at(-2)).toBe("prompt and a pear");
  });
});
