/** Peers over streams in memory: one that is ours at both ends, and one whose other end is raw text. */
import { PassThrough } from "node:stream";
import { SidecarError } from "../../src/base/errors.ts";
import { silentLogger } from "../../src/base/log.ts";
import { Connection, type PeerHandlers } from "../../src/rpc/endpoint.ts";
import type { RequestId } from "../../src/rpc/messages.ts";

const maxMessageBytes = 1 << 20;

/** Handlers that expect nothing, but for those that are given. */
export function handlers(given: Partial<PeerHandlers> = {}): PeerHandlers {
  const unexpected = (what: string) => {
    throw new Error(`unexpected ${what}`);
  };
  return {
    request: async (method) => unexpected(`request ${method}`),
    notification: (method) => unexpected(`notification ${method}`),
    updates: () => unexpected("updates"),
    invalid: ({ reason }) => unexpected(`message: ${reason}`),
    ...given,
  };
}

/** Two connections, each the other's peer. */
export function linked(left: Partial<PeerHandlers>, right: Partial<PeerHandlers>) {
  const toRight = new PassThrough();
  const toLeft = new PassThrough();
  const options = { maxMessageBytes, log: silentLogger };
  return {
    left: new Connection({ input: toLeft, output: toRight, ...options }, handlers(left)),
    right: new Connection({ input: toRight, output: toLeft, ...options }, handlers(right)),
    toLeft,
    toRight,
  };
}

/** A connection, and the raw text of what it is sent and sends. */
export function raw(given: Partial<PeerHandlers>, limitBytes = maxMessageBytes) {
  const input = new PassThrough();
  const output = new PassThrough();
  const connection = new Connection(
    { input, output, maxMessageBytes: limitBytes, log: silentLogger },
    handlers(given),
  );
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
