/**
 * A model that answers from a script, on this machine, in the four dialects that agents speak: OpenAI's chat
 * completions and responses, Anthropic's messages, Gemini's generateContent. What it says follows from the last words
 * of the user: `run: COMMAND` calls the agent's shell tool, `slow` speaks for long, `which marks?` names every
 * `mark-N` that stands anywhere in what it was sent, everything else is said back.
 */
import http from "node:http";

/** The turn that the model takes, whatever the dialect: text, or one call of a tool. */
function turnFor({ texts, lastUser = "", lastIsToolResult, tools }) {
  if (lastIsToolResult) return { text: "The tool has run." };
  // Asked first: a conversation that is handed over stands before or behind the prompt, commands and all.
  if (/which marks\?/.test(lastUser)) {
    const marks = [...new Set(texts.join("\n").match(/mark-\d+/g) ?? [])];
    return { text: `I know ${marks.sort().join(", ") || "nothing"}.` };
  }
  const command = /run: ([^\n"\\]+)/.exec(lastUser)?.[1];
  const shell = tools.find(({ name }) =>
    /^(bash|shell|run_shell_command|exec_command|shell_command|local_shell)$/i.test(name),
  );
  if (command !== undefined && shell !== undefined)
    return { call: { name: shell.name, args: argsFor(shell, command) } };
  if (/\bslow\b/.test(lastUser)) return { text: "Slowly said. ".repeat(200), slow: true };
  return { text: `You said: ${lastUser.slice(-60).trim()}` };
}

function argsFor({ schema }, command) {
  const fields = schema?.properties ?? {};
  const args = {};
  for (const [name, field] of Object.entries(fields)) {
    if (name === "command" || name === "cmd")
      args[name] = field.type === "array" ? ["bash", "-c", command] : command;
    else if ((schema.required ?? []).includes(name))
      args[name] =
        field.type === "number" || field.type === "integer"
          ? 10000
          : field.type === "boolean"
            ? false
            : "runs a command";
  }
  return args;
}

const flat = (content) =>
  typeof content === "string"
    ? content
    : Array.isArray(content)
      ? content.map((part) => part.text ?? flat(part.content ?? "")).join("\n")
      : "";

/** Only what the user wrote: agents put reminders of their own around it, marked by tags. */
const wordsOf = (text) => text.replace(/<system-reminder>[\s\S]*?<\/system-reminder>/g, "").trim();

const dialects = {
  chat: {
    read: ({ messages, tools = [] }) => ({
      texts: messages.map(({ content }) => flat(content)),
      lastUser: messages
        .filter(({ role }) => role === "user")
        .map(({ content }) => wordsOf(flat(content)))
        .findLast((words) => words !== ""),
      lastIsToolResult: messages.at(-1)?.role === "tool",
      tools: tools.map(({ function: { name, parameters } }) => ({ name, schema: parameters })),
    }),
    write: async (response, turn, { stream, model = "scripted" }, pieces) => {
      const base = { id: "chat-1", created: 1, model };
      const call = turn.call && {
        index: 0,
        id: `call_${counter()}`,
        type: "function",
        function: { name: turn.call.name, arguments: JSON.stringify(turn.call.args) },
      };
      const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
      const finish = call ? "tool_calls" : "stop";
      if (!stream) {
        const message = {
          role: "assistant",
          content: turn.text ?? null,
          ...(call && { tool_calls: [call] }),
        };
        return json(response, {
          ...base,
          object: "chat.completion",
          choices: [{ index: 0, message, finish_reason: finish }],
          usage,
        });
      }
      const chunk = (delta, finish_reason = null, more = {}) =>
        sse(response, {
          ...base,
          object: "chat.completion.chunk",
          choices: [{ index: 0, delta, finish_reason }],
          ...more,
        });
      chunk({ role: "assistant", content: "" });
      if (call) chunk({ tool_calls: [call] });
      for await (const piece of pieces) chunk({ content: piece });
      chunk({}, finish, { usage });
      response.end("data: [DONE]\n\n");
    },
  },
  messages: {
    read: ({ messages, system, tools = [] }) => {
      const lastUser = messages.findLast(({ role, content }) => role === "user" && !isToolResult(content));
      return {
        texts: [flat(system ?? ""), ...messages.map(({ content }) => flat(content))],
        lastUser: wordsOf(flat(lastUser?.content)),
        lastIsToolResult: isToolResult(messages.at(-1)?.content),
        tools: tools.map(({ name, input_schema }) => ({ name, schema: input_schema })),
      };
    },
    write: async (response, turn, { stream, model = "scripted" }, pieces) => {
      const block = turn.call
        ? { type: "tool_use", id: `toolu_${counter()}`, name: turn.call.name, input: turn.call.args }
        : undefined;
      const stop_reason = block ? "tool_use" : "end_turn";
      const usage = {
        input_tokens: 10,
        output_tokens: 5,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
      };
      const message = {
        id: `msg_${counter()}`,
        type: "message",
        role: "assistant",
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage,
      };
      if (!stream)
        return json(response, {
          ...message,
          content: [block ?? { type: "text", text: turn.text }],
          stop_reason,
        });
      const event = (type, data) =>
        response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
      event("message_start", { message });
      event("content_block_start", {
        index: 0,
        content_block: block ? { ...block, input: {} } : { type: "text", text: "" },
      });
      if (block)
        event("content_block_delta", {
          index: 0,
          delta: { type: "input_json_delta", partial_json: JSON.stringify(block.input) },
        });
      for await (const piece of pieces)
        event("content_block_delta", { index: 0, delta: { type: "text_delta", text: piece } });
      event("content_block_stop", { index: 0 });
      event("message_delta", { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 5 } });
      event("message_stop", {});
      response.end();
    },
  },
  responses: {
    read: ({ input, instructions = "", tools = [] }) => {
      const items = Array.isArray(input) ? input : [{ role: "user", content: input }];
      const users = items.filter(
        ({ role, content }) =>
          role === "user" && !/^<(environment_context|user_instructions|permissions)/.test(flat(content)),
      );
      return {
        texts: [instructions, ...items.map(({ content, output }) => flat(content ?? output ?? ""))],
        lastUser: wordsOf(flat(users.at(-1)?.content)),
        lastIsToolResult: /_output$/.test(items.at(-1)?.type ?? ""),
        tools: tools
          .filter(({ name }) => name !== undefined)
          .map(({ name, parameters }) => ({ name, schema: parameters })),
      };
    },
    write: async (response, turn, { stream }, pieces) => {
      const item = turn.call
        ? {
            type: "function_call",
            id: `fc_${counter()}`,
            call_id: `call_${counter()}`,
            name: turn.call.name,
            arguments: JSON.stringify(turn.call.args),
            status: "completed",
          }
        : {
            type: "message",
            id: `msg_${counter()}`,
            role: "assistant",
            status: "completed",
            content: [{ type: "output_text", text: turn.text, annotations: [] }],
          };
      const whole = {
        id: `resp_${counter()}`,
        object: "response",
        created_at: 1,
        status: "completed",
        model: "scripted",
        output: [item],
        usage: {
          input_tokens: 10,
          output_tokens: 5,
          total_tokens: 15,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens_details: { reasoning_tokens: 0 },
        },
      };
      if (stream === false) return json(response, whole);
      let sequence_number = 0;
      const event = (type, data) =>
        response.write(
          `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence_number++, ...data })}\n\n`,
        );
      event("response.created", { response: { ...whole, status: "in_progress", output: [] } });
      event("response.output_item.added", {
        output_index: 0,
        item: turn.call ? { ...item, arguments: "" } : { ...item, status: "in_progress", content: [] },
      });
      if (!turn.call)
        event("response.content_part.added", {
          item_id: item.id,
          output_index: 0,
          content_index: 0,
          part: { type: "output_text", text: "", annotations: [] },
        });
      for await (const piece of pieces)
        event("response.output_text.delta", {
          item_id: item.id,
          output_index: 0,
          content_index: 0,
          delta: piece,
        });
      event("response.output_item.done", { output_index: 0, item });
      event("response.completed", { response: whole });
      response.end();
    },
  },
  gemini: {
    read: ({ contents = [], systemInstruction, tools = [] }) => {
      const text = ({ parts = [] } = {}) =>
        parts.map((part) => part.text ?? JSON.stringify(part.functionResponse ?? "")).join("\n");
      const isResult = ({ parts = [] } = {}) =>
        parts.some(({ functionResponse }) => functionResponse !== undefined);
      const declared = tools.flatMap(({ functionDeclarations = [] }) => functionDeclarations);
      return {
        texts: [text(systemInstruction), ...contents.map(text)],
        lastUser: wordsOf(
          text(contents.findLast((content) => content.role === "user" && !isResult(content))),
        ),
        lastIsToolResult: isResult(contents.at(-1)),
        tools: declared.map(({ name, parameters, parametersJsonSchema }) => ({
          name,
          schema: parametersJsonSchema ?? parameters,
        })),
      };
    },
    write: async (response, turn, { stream }, pieces) => {
      const part = turn.call ? { functionCall: { name: turn.call.name, args: turn.call.args } } : undefined;
      const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 };
      const answer = (parts, finishReason) => ({
        candidates: [{ index: 0, content: { role: "model", parts }, ...(finishReason && { finishReason }) }],
        usageMetadata,
        modelVersion: "scripted",
      });
      if (!stream) return json(response, answer([part ?? { text: turn.text }], "STOP"));
      if (part) sse(response, answer([part]));
      for await (const piece of pieces) sse(response, answer([{ text: piece }]));
      sse(response, answer([{ text: "" }], "STOP"));
      response.end();
    },
  },
};

const isToolResult = (content) =>
  Array.isArray(content) && content.some(({ type }) => type === "tool_result");

let count = 0;
const counter = () => String((count += 1)).padStart(6, "0");

async function* piecesOf({ text = "", slow = false }, closed) {
  for (const piece of text.match(/\S+\s*/g) ?? []) {
    if (closed()) return;
    yield piece;
    if (slow) await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function json(response, value) {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
}

function sse(response, value) {
  response.write(`data: ${JSON.stringify(value)}\n\n`);
}

function dialectOf(url) {
  if (/\/chat\/completions/.test(url)) return dialects.chat;
  if (/\/messages(\?|$)/.test(url)) return dialects.messages;
  if (/\/responses(\?|$)/.test(url)) return dialects.responses;
  return /:(stream)?[gG]enerateContent/.test(url) ? dialects.gemini : undefined;
}

/** Listens on the loopback interface; `url` is its base, `asked` what it was sent (newest last). */
export async function startModel() {
  const asked = [];
  const server = http.createServer((request, response) => void serve(request, response, asked));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    asked,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function serve(request, response, asked) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const dialect = dialectOf(request.url);
  asked.push({ method: request.method, url: request.url });
  if (dialect === undefined) {
    if (/count_?tokens/i.test(request.url)) return json(response, { input_tokens: 10, totalTokens: 10 });
    if (/\/models/.test(request.url))
      return json(response, { object: "list", data: [{ id: "scripted", object: "model" }], models: [] });
    return json(response, {});
  }
  const body = JSON.parse(Buffer.concat(parts).toString() || "{}");
  if (/streamGenerateContent/.test(request.url)) body.stream = true;
  const turn = turnFor(dialect.read(body));
  if (body.stream) response.setHeader("content-type", "text/event-stream");
  await dialect.write(
    response,
    turn,
    body,
    piecesOf(turn, () => response.destroyed),
  );
}
