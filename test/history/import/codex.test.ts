import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { codex } from "../../../src/history/import/codex/reader.ts";
import { changesIn } from "../../../src/history/import/codex/patch.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { countingOf, entriesOf, importFrom, outline, registryOf, scratchHome } from "./rig.ts";

const scratch = scratchHome();
const id = "019a0000-1111-7222-8333-444455556666";
let homes = 0;
let second = 0;
const line = (type: string, payload: object) => ({
  timestamp: new Date(Date.UTC(2026, 2, 1, 10, 0, second++)).toISOString(),
  type,
  payload,
});
const event = (type: string, fields: object = {}) => line("event_msg", { type, ...fields });
const item = (type: string, fields: object = {}) => line("response_item", { type, ...fields });
const words = (role: string, text: string) =>
  item("message", { role, content: [{ type: role === "assistant" ? "output_text" : "input_text", text }] });
const meta = line("session_meta", { id, cwd: "/home/ada/apple", cli_version: "1", source: "cli" });
const context = words("user", "<environment_context>\n  <cwd>/home/ada/apple</cwd>\n</environment_context>");
const asked = (text: string) => [words("user", text), event("user_message", { message: text })];
const answered = (text: string) => [event("agent_message", { message: text }), words("assistant", text)];

async function imported(
  lines: readonly unknown[],
  name = `rollout-2026-03-01T10-00-00-${id}.jsonl`,
  bytes?: Uint8Array,
) {
  const home = path.join(scratch, `home-${(homes += 1)}`);
  const folder = path.join(home, ".codex", "sessions", "2026", "03", "01");
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, name);
  fs.writeFileSync(file, bytes ?? lines.map((each) => `${JSON.stringify(each)}\n`).join(""));
  fs.writeFileSync(
    path.join(home, ".codex", "session_index.jsonl"),
    `${JSON.stringify({ id: "another", thread_name: "Not this" })}\nbroken\n`,
  );
  const registry = registryOf(openMemoryStore());
  const { told, problems } = await importFrom(registry, codex, home);
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

describe("a history of Codex", () => {
  it("takes words that come as event and as item once, and no context for the user's", async () => {
    const { counting, record, problems } = await imported([
      meta,
      words("developer", "be good"),
      context,
      ...asked("plant an apple tree"),
      event("agent_reasoning", { text: "where" }),
      item("reasoning", { summary: [{ type: "summary_text", text: "where" }], encrypted_content: "x" }),
      ...answered("Here."),
      ...answered("Here."),
      event("task_complete"),
      ...asked("again"),
      ...answered("Here."),
    ]);
    expect(problems).toEqual([]);
    expect(counting).toEqual([
      "prompt plant an apple tree",
      "agent_thought_chunk where",
      "agent_message_chunk Here.",
      "agent_message_chunk Here.",
      ended,
      "prompt again",
      "agent_message_chunk Here.",
      ended,
    ]);
    expect(record).toMatchObject({
      cwd: "/home/ada/apple",
      title: "plant an apple tree",
      agentSessionIds: [id],
    });
  });

  it("shows calls with what they did: commands, patches, plans, searches", async () => {
    const patch =
      "*** Begin Patch\n*** Update File: hole.txt\n@@\n line\n-old\n+new\n*** Add File: tree.txt\n+apple\n*** End Patch";
    const { counting } = await imported([
      meta,
      ...asked("go"),
      item("function_call", {
        call_id: "c1",
        name: "shell",
        arguments: JSON.stringify({ command: ["bash", "-lc", "ls"] }),
      }),
      item("function_call_output", {
        call_id: "c1",
        output: JSON.stringify({ output: "spade", metadata: { exit_code: 2 } }),
      }),
      item("custom_tool_call", { call_id: "c2", name: "apply_patch", input: patch }),
      item("custom_tool_call_output", { call_id: "c2", output: "Done" }),
      item("function_call", {
        call_id: "c3",
        name: "update_plan",
        arguments: JSON.stringify({ plan: [{ step: "dig", status: "completed" }] }),
      }),
      item("function_call_output", { call_id: "c3", output: "Plan updated" }),
      item("web_search_call", { status: "completed", action: { type: "search", query: "trees" } }),
      item("function_call", { call_id: "c4", name: "odd", arguments: "{not json" }),
      event("turn_aborted", { reason: "interrupted" }),
    ]);
    expect(counting).toEqual([
      "prompt go",
      "tool_call ls | pending",
      "tool_call_update failed | spade",
      "tool_call Edit hole.txt, tree.txt | pending | hole.txt: line\nold -> line\nnew / tree.txt: null -> apple",
      "tool_call_update completed | Done",
      "plan completed: dig",
      "tool_call Search trees | completed",
      "tool_call odd | pending",
      'end {"stopReason":"cancelled"}',
    ]);
  });

  it("goes back by turns, also more than once, and more than there are", async () => {
    const { counting, lines } = await imported([
      meta,
      ...asked("one"),
      ...answered("1"),
      ...asked("two"),
      ...answered("2"),
      event("thread_rolled_back", { num_turns: 1 }),
      ...asked("three"),
      event("thread_rolled_back", { num_turns: 1 }),
      ...asked("four"),
      ...answered("4"),
    ]);
    expect(counting).toEqual([
      "prompt one",
      "agent_message_chunk 1",
      ended,
      "prompt four",
      "agent_message_chunk 4",
      ended,
    ]);
    expect(lines).toContain("prompt three");
    const all = await imported([
      meta,
      ...asked("one"),
      event("thread_rolled_back", { num_turns: 9 }),
      ...asked("new"),
    ]);
    expect(all.counting).toEqual(["prompt new", ended]);
  });

  it("has a summary where the conversation was compacted", async () => {
    const { counting } = await imported([
      meta,
      ...asked("go"),
      line("compacted", {
        message: "",
        replacement_history: [
          { type: "message", role: "user", content: [{ type: "input_text", text: "They dug." }] },
        ],
      }),
    ]);
    expect(counting[1]).toBe("compaction_update completed | They dug.");
  });

  it("reads files from before autumn 2025: bare items, and no events", async () => {
    const bare = (role: string, text: string) => ({
      type: "message",
      role,
      content: [{ type: "input_text", text }],
    });
    const { counting, record } = await imported([
      { id, timestamp: "2025-06-01T10:00:00Z", instructions: null },
      { record_type: "state" },
      bare("user", "<environment_context><cwd>/home/ada/pear</cwd></environment_context>"),
      bare("user", "plant a pear"),
      bare("assistant", "Planted."),
      bare("user", "thanks"),
    ]);
    expect(counting).toEqual([
      "prompt plant a pear",
      "agent_message_chunk Planted.",
      ended,
      "prompt thanks",
      ended,
    ]);
    expect(record?.cwd).toBe("/home/ada/pear");
  });

  it("takes a fork for a session of its own, with its own id", async () => {
    const parent = line("session_meta", { id: "019b0000-1111-7222-8333-444455556666", cwd: "/home/ada/old" });
    const { record } = await imported([meta, parent, ...asked("one")]);
    expect(record).toMatchObject({ cwd: "/home/ada/apple", agentSessionIds: [id] });
  });

  it("shares with its parent what a fork repeats of it, whatever times it has there", async () => {
    const home = path.join(scratch, `home-${(homes += 1)}`);
    const folder = path.join(home, ".codex", "sessions", "2026", "03", "01");
    fs.mkdirSync(folder, { recursive: true });
    const write = (whose: string, lines: readonly unknown[], modified: number) => {
      const file = path.join(folder, `rollout-2026-03-01T10-00-00-${whose}.jsonl`);
      fs.writeFileSync(file, lines.map((each) => `${JSON.stringify(each)}\n`).join(""));
      fs.utimesSync(file, modified, modified);
    };
    const forkId = "019b0000-1111-7222-8333-444455556666";
    const oldId = "019c0000-1111-7222-8333-444455556666";
    const shared = () => [
      ...asked("one"),
      ...answered("1"),
      event("thread_rolled_back", { num_turns: 1 }),
      ...asked("two"),
      ...answered("2"),
      line("compacted", { message: "They counted." }),
      event("task_complete"),
    ];
    const own = [...asked("three"), ...answered("3")];
    // The parent was written to last, and is brought in first.
    write(id, [meta, ...shared(), ...asked("elsewhere")], 3000);
    const forkMeta = { id: forkId, forked_from_id: id, cwd: "/home/ada/apple" };
    const forked = [line("session_meta", forkMeta), meta, context, ...shared(), ...own];
    write(forkId, forked, 2000);
    const oldMeta = { id: oldId, cwd: "/home/ada/apple" };
    write(oldId, [line("session_meta", oldMeta), meta, ...shared(), ...asked("five")], 1000);
    const registry = registryOf(openMemoryStore());
    const { told } = await importFrom(registry, codex, home);
    expect(told.map(({ nativeId, entries }) => [nativeId, entries])).toEqual([
      [id, 10],
      [oldId, 2],
      [forkId, 3],
    ]);
    const [parent, , fork] = told;
    const record = await registry.get(fork?.id as never);
    expect(record).toMatchObject({ lineage: { parentId: parent?.id, atSeq: 8 }, agentSessionIds: [forkId] });
    const counted = [
      "prompt two",
      "agent_message_chunk 2",
      "compaction_update completed | They counted.",
      ended,
    ];
    expect(outline(await countingOf(registry, fork?.id))).toEqual([
      ...counted,
      "prompt three",
      "agent_message_chunk 3",
      ended,
    ]);
    // Again is a no-op, and what grows goes on.
    write(forkId, [...forked, ...asked("four")], 4000);
    const again = await importFrom(registry, codex, home);
    expect(again.told.map(({ what, entries }) => [what, entries])).toEqual([
      ["present", 0],
      ["present", 0],
      ["continued", 2],
    ]);
    expect(outline(await countingOf(registry, fork?.id)).slice(-3)).toEqual([ended, "prompt four", ended]);
  });

  it("takes a fork whole whose parent is not there", async () => {
    const forked = line("session_meta", {
      id,
      forked_from_id: "019b0000-1111-7222-8333-444455556666",
      cwd: "/a",
    });
    const { counting, record } = await imported([forked, ...asked("one"), ...answered("1"), ...asked("two")]);
    expect(counting).toHaveLength(5);
    expect(record?.lineage).toBeUndefined();
  });

  it("reads compressed files, and names one that is damaged", async () => {
    const name = `rollout-2026-03-01T10-00-00-${id}.jsonl.zst`;
    const text = Buffer.from([meta, ...asked("packed")].map((each) => `${JSON.stringify(each)}\n`).join(""));
    const { counting, problems } = await imported([], name, storedAsZst(text));
    expect(problems).toEqual([]);
    expect(counting).toEqual(["prompt packed", ended]);
    const damaged = await imported([], name, Buffer.from("no such thing"));
    expect(damaged.problems).toHaveLength(1);
    expect(damaged.told).toEqual([]);
  });

  it("reads patches of any shape, line by line", () => {
    expect(changesIn("")).toEqual([]);
    expect(changesIn("*** Delete File: a\n")).toEqual([
      { type: "diff", path: "a", oldText: "", newText: "" },
    ]);
    expect(changesIn("+lost\n@@\n*** Add File: b\n+1\n+2")).toEqual([
      { type: "diff", path: "b", oldText: null, newText: "1\n2" },
    ]);
  });
});

/** RFC 8878, the simplest frame: one block that holds the bytes as they are. */
function storedAsZst(content: Buffer): Buffer {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0]);
  head.writeUInt32LE(content.length, 5);
  const block = Buffer.alloc(3);
  block.writeUIntLE((content.length << 3) | 1, 0, 3);
  return Buffer.concat([head, block, content]);
}
