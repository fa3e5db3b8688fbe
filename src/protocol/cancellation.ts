/** The peer's requests while they run: their ids, their cancellation by `$/cancel_request`, their end. */
import type { CancellationToken, CancellationTokenSource } from "vscode-jsonrpc/node";
import rpc from "vscode-jsonrpc/node";
import { isRecord } from "../json.ts";
import { isRequestId, type RequestId, type RequestMessage } from "./messages.ts";

/** What a handler knows of the request that it answers. */
export interface RequestContext {
  readonly id: RequestId;
  /** Aborted by the peer's `$/cancel_request`. */
  readonly signal: AbortSignal;
  /** Settles when the answer has been written: what must come behind it waits for this. */
  readonly answered: Promise<void>;
}

interface Incoming extends RequestContext {
  readonly abort: () => void;
  readonly settle: () => void;
}

export class IncomingRequests {
  readonly #byId = new Map<RequestId, Incoming>();
  readonly #byToken = new WeakMap<CancellationToken, Incoming>();

  get size(): number {
    return this.#byId.size;
  }

  /** vscode-jsonrpc's hook at the start of a request. */
  readonly receiver = {
    kind: "request" as const,
    createCancellationTokenSource: (message: { id: RequestId | null }): CancellationTokenSource => {
      const source = new rpc.CancellationTokenSource();
      const incoming = startRequest((message as RequestMessage).id);
      // A peer that reuses the id of an open request must not leave anybody waiting for its answer.
      this.#byId.get(incoming.id)?.settle();
      this.#byId.set(incoming.id, incoming);
      this.#byToken.set(source.token, incoming);
      return source;
    },
  };

  contextOf(token: CancellationToken): RequestContext {
    const incoming = this.#byToken.get(token);
    if (incoming === undefined) throw new Error("a request without a context");
    return incoming;
  }

  cancel(params: unknown): void {
    const id = isRecord(params) ? params.requestId : undefined;
    if (isRequestId(id)) this.#byId.get(id)?.abort();
  }

  answered(id: RequestId): void {
    this.#byId.get(id)?.settle();
    this.#byId.delete(id);
  }

  /** The peer has gone: nobody waits for the answers any more. */
  abortAll(): void {
    for (const { abort } of this.#byId.values()) abort();
  }

  /** Settles when all requests that are open now have been answered. */
  async idle(): Promise<void> {
    await Promise.all([...this.#byId.values()].map(({ answered }) => answered));
  }
}

function startRequest(id: RequestId): Incoming {
  const controller = new AbortController();
  let settle = () => {};
  const answered = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { id, signal: controller.signal, answered, abort: () => controller.abort(), settle };
}
