/** Peers over streams in memory: one that is ours at both ends, and one whose other end is raw text. */
import { PassThrough } from "node:stream";
import { SidecarError } from "../../src/base/errors.ts";
import { silentLogger } from "../../src/base/log.ts";
import { updateLane } from "../../src/acp/chunks.ts";
import type { AgentHandlers } from "../../src/agent/agent.ts";
import { Connection, type PeerHandlers } from "../../src/rpc/endpoint.ts";
import type { RequestId } from "../../src/rpc/messages.ts";

const maxMessageBytes = 1 << 20;

/** What a peer sends, `session/update`s by their lane. */
export type Handlers = PeerHandlers & AgentHandlers;

/** Handlers that expect nothing, but for those that are given. */
export function handlers(given: Partial<Handlers> = {}): Handlers {
  const unexpected = (what: string) => {
    throw new Error(`unexpected ${what}`);
  };
  return {
    request: async (method) => unexpected(`request ${method}`),
    notification: (method) => unexpected(`notification ${method}`),
    updates: () => unexpected("updates"),
    invalid: ({ error }) => unexpected(`message: ${error.message}`),
    ...given,
  };
}

/** Two connections, each the other's peer. */
export function linked(left: Partial<Handlers>, right: Partial<Handlers>) {
  const toRight = new PassThrough();
  const toLeft = new PassThrough();
  return {
    left: connect(toLeft, toRight, left),
    right: connect(toRight, toLeft, right),
    toLeft,
    toRight,
  };
}

/** A connection, and the raw text of what it is sent and sends. */
export function raw(given: Partial<Handlers>, limitBytes = maxMessageBytes) {
  const input = new PassThrough();
  const output = new PassThrough();
  const connection = connect(input, output, given, limitBytes);
  return {
    connection,
    input,
    output,
    /** Writes messages, or lines that are none, in one chunk. */
    say: (...messages: readonly unknown[]) =>
      input.write(
        messages.map((each) => `${typeof each === "string" ? each : JSON.stringify(each)}\n`).join(""),
      ),
    /** The messages that it has sent since it was last asked. */
    heard: () => messagesIn(String(output.read() ?? "")),
  };
}

function connect(
  input: PassThrough,
  output: PassThrough,
  given: Partial<Handlers>,
  limitBytes = maxMessageBytes,
): Connection {
  const all = handlers(given);
  const lane = updateLane((updates) => all.updates(updates));
  return new Connection({ input, output, maxMessageBytes: limitBytes, log: silentLogger, lane }, all);
}

export function messagesIn(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

export function update(text: string, sessionId = "s", more: object = {}) {
  const content = { type: "text", text };
  return {
    jsonrpc: "2.0",
    method: "session/update",
    params: { sessionId, update: { sessionUpdate: "agent_message_chunk", content, ...more } },
  };
}

export const request = (id: RequestId, method = "ask", params: unknown = {}) => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});
export const gone = new SidecarError("AGENT_EXITED", "gone");
export const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

export function gate() {
  let open: (value?: unknown) => void = () => undefined;
  const passed = new Promise<unknown>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

/** Settles when `condition` holds; the test's own time limit ends the waiting. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
