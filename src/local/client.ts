/** Asks a process at its endpoint. */
import { connect, type Socket } from "node:net";
import { reasonOf, SidecarError, systemCodeOf } from "../base/errors.ts";
import { silentLogger } from "../base/log.ts";
import { within } from "../base/time.ts";
import { Connection } from "../rpc/endpoint.ts";
import { RpcError } from "../rpc/errors.ts";

/** A process with thousands of live sessions has much to say. */
const maxAnswerBytes = 8 << 20;

/** `gone`: nobody listens there. `silent`: no answer has come in time, or none that can be understood. */
export type Asked<T> =
  | { readonly kind: "answered"; readonly answer: T }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "gone" | "silent" };

interface Question {
  readonly method: string;
  readonly params?: object;
  readonly timeoutMs: number;
  /** Aborted when the answer is not wanted any more. */
  readonly signal?: AbortSignal;
}

const nobodyAsks = {
  request: async () => {
    throw new SidecarError("METHOD_NOT_FOUND", "Nothing can be asked here");
  },
  notification: () => undefined,
  invalid: () => undefined,
};

/**
 * One question, one answer. Nothing that the other side does makes it fail.
 * @param taken what the answer is, if it is one
 */
export async function ask<T>(
  path: string,
  question: Question,
  taken: (answer: unknown) => T | undefined,
): Promise<Asked<T>> {
  const { method, params, timeoutMs, signal } = question;
  const socket = await connected(path);
  if (typeof socket === "string") return { kind: socket };
  const connection = new Connection(
    { input: socket, output: socket, maxMessageBytes: maxAnswerBytes, log: silentLogger },
    nobodyAsks,
  );
  const gone = new SidecarError("REQUEST_CANCELLED", "the process has gone");
  const close = () => connection.close(gone);
  void connection.ended.then(close);
  signal?.addEventListener("abort", close, { once: true });
  if (signal?.aborted === true) close();
  try {
    const answer = await within(
      connection.request(method, params).then((result) => ({ result })),
      timeoutMs,
    );
    const understood = answer && taken(answer.result);
    return understood === undefined ? { kind: "silent" } : { kind: "answered", answer: understood };
  } catch (error) {
    return error instanceof RpcError ? { kind: "refused", message: reasonOf(error) } : { kind: "silent" };
  } finally {
    signal?.removeEventListener("abort", close);
    close();
    socket.destroy();
  }
}

/** Somebody listens, nobody does, or it cannot be told. */
function connected(path: string): Promise<Socket | "gone" | "silent"> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => resolve(socket));
    socket.on("error", (error) => {
      const code = systemCodeOf(error);
      resolve(code === "ECONNREFUSED" || code === "ENOENT" ? "gone" : "silent");
    });
  });
}
