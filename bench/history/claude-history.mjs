/** A history of Claude Code, made up: prompts, answers, calls and their results, of any size. */
import { mkdirSync, openSync, writeSync, closeSync } from "node:fs";
import path from "node:path";
import { randomUUID } from "node:crypto";
const prose =
  "The sum of floats was the reason, so the total is kept in cents and `round` is called once.\n\n";
/** One session of so many bytes in a folder as `~/.claude`. Returns its bytes. */
export function claudeHistory(home, bytes) {
  const folder = path.join(home, "projects", "-home-ada-apple");
  mkdirSync(folder, { recursive: true });
  const id = randomUUID();
  const file = openSync(path.join(folder, `${id}.jsonl`), "w");
  let [written, parent, turn] = [0, null, 0];
  const record = (type, fields) => {
    const uuid = randomUUID();
    const common = {
      parentUuid: parent,
      isSidechain: false,
      userType: "external",
      cwd: "/home/ada/apple",
      sessionId: id,
      version: "2.0.0",
      gitBranch: "main",
      type,
    };
    parent = uuid;
    return `${JSON.stringify({ ...common, ...fields, uuid, timestamp: new Date(1.77e12 + turn * 60_000).toISOString() })}\n`;
  };
  const answer = (content) =>
    record("assistant", {
      message: {
        model: "a-model",
        id: `msg_${turn}`,
        type: "message",
        role: "assistant",
        content: [content],
        stop_reason: null,
        usage: { input_tokens: 300, cache_read_input_tokens: 20_000, output_tokens: 200 },
      },
    });
  while (written < bytes) {
    turn += 1;
    const code = `export const part${turn} = (a: number) => a * ${turn};\n`.repeat(120);
    const call = `toolu_${turn}`;
    const lines = [
      record("user", { message: { role: "user", content: `Read part ${turn}, and say what is wrong` } }),
      answer({ type: "thinking", thinking: prose.repeat(4), signature: "c2lnbmVk".repeat(40) }),
      answer({
        type: "tool_use",
        id: call,
        name: "Read",
        input: { file_path: "/home/ada/apple/src/total.ts" },
      }),
      record("user", {
        message: { role: "user", content: [{ tool_use_id: call, type: "tool_result", content: code }] },
        toolUseResult: {
          type: "text",
          file: { filePath: "/home/ada/apple/src/total.ts", content: code, numLines: 120 },
        },
      }),
      answer({ type: "text", text: prose.repeat(20) }),
    ];
    written += writeSync(file, lines.join(""));
  }
  closeSync(file);
  return written;
}
