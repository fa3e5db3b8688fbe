/** Histories of Claude Code as the tests write them: small, and with the traps of the format. */
import fs from "node:fs";
import path from "node:path";

export const claudeId = "0f8b2f6e-1111-4222-8333-444455556666";

let minute = 0;
const time = () => new Date(Date.UTC(2026, 2, 1, 10, minute++)).toISOString();

type Fields = Readonly<Record<string, unknown>>;

export function record(type: string, uuid: string, parentUuid: string | null, fields: Fields = {}): Fields {
  return {
    type,
    uuid,
    parentUuid,
    sessionId: claudeId,
    cwd: "/home/ada/apple",
    timestamp: time(),
    ...fields,
  };
}

export const user = (uuid: string, parent: string | null, content: unknown, more: Fields = {}) =>
  record("user", uuid, parent, { message: { role: "user", content }, ...more });

export const assistant = (
  uuid: string,
  parent: string,
  id: string,
  content: readonly unknown[],
  more: Fields = {},
) =>
  record("assistant", uuid, parent, {
    message: {
      id,
      role: "assistant",
      model: "a-model",
      content,
      usage: { input_tokens: 3, output_tokens: 2 },
    },
    ...more,
  });

export const text = (words: string) => ({ type: "text", text: words });
export const toolUse = (id: string, name: string, input: unknown) => ({ type: "tool_use", id, name, input });
export const toolResult = (id: string, content: unknown, more: Fields = {}) => ({
  type: "tool_result",
  tool_use_id: id,
  content,
  ...more,
});

export const asLines = (records: readonly unknown[]) =>
  records.map((each) => (typeof each === "string" ? each : JSON.stringify(each))).join("\n") + "\n";

/** A folder as `~/.claude/projects`, with one session. */
export function claudeFolder(home: string, records: readonly unknown[], id = claudeId): string {
  const folder = path.join(home, ".claude", "projects", "-home-ada-apple");
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${id}.jsonl`);
  fs.writeFileSync(file, asLines(records));
  return file;
}

export const plainTurns = [
  user("u1", null, "plant an apple tree"),
  assistant("a1", "u1", "m1", [{ type: "thinking", thinking: "where is the garden" }]),
  assistant("a2", "a1", "m1", [text("I look. ")]),
  assistant("a3", "a2", "m1", [toolUse("t1", "Bash", { command: "ls garden" })]),
  user("r1", "a3", [toolResult("t1", "a spade")], { toolUseResult: { stdout: "a spade" } }),
  assistant("a4", "r1", "m2", [text("There is a spade.")]),
  user("u2", "a4", [text("dig a hole")]),
  assistant("a5", "u2", "m3", [
    toolUse("t2", "Edit", { file_path: "/home/ada/apple/hole.txt", old_string: "", new_string: "o" }),
  ]),
  user("r2", "a5", [toolResult("t2", "no spade", { is_error: true })]),
  assistant("a6", "r2", "m4", [text("It failed.")]),
] as const;
