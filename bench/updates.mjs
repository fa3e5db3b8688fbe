/** The updates that are streamed and stored: sizes and shapes as agents write them. */

/** One token of an answer. Its number makes loss, doubling and reordering visible. */
export function messageUpdate(i) {
  return { sessionUpdate: "agent_message_chunk", content: { type: "text", text: tokenOf(i) } };
}

export function tokenOf(i) {
  return ` word${i}`;
}

/** Every fifth update tells of a tool call; each call gets four, the last one with its output. */
export function mixedUpdate(i) {
  if (i % 5 !== 4) return messageUpdate(i);
  const step = Math.floor(i / 5);
  const toolCallId = `call_${Math.floor(step / 4)}`;
  if (step % 4 === 0) {
    const rawInput = { path: `/home/user/project/src/file${step}.ts`, line: i };
    return { sessionUpdate: "tool_call", toolCallId, title: `Read file${step}.ts`, kind: "read", rawInput };
  }
  if (step % 4 < 3) return { sessionUpdate: "tool_call_update", toolCallId, status: "in_progress" };
  return { sessionUpdate: "tool_call_update", toolCallId, status: "completed", content: outputOf(400) };
}

/** A tool's output of about so many characters. */
export function outputOf(chars) {
  const text = "export const answer = 42; // a line of code\n".repeat(Math.ceil(chars / 44)).slice(0, chars);
  return [{ type: "content", content: { type: "text", text } }];
}
