/** The peer's requests while they run: their ids, their cancellation by `$/cancel_request`, their end. */
import type { CancellationToken, CancellationTokenSource } from "vscode-jsonrpc/node";
import rpc from "vscode-jsonrpc/node";
import { SidecarError } from "../base/errors.ts";
import { isRecord } from "../base/json.ts";
import { isRequestId, type RequestId, type RequestMessage } from "./messages.ts";

/** A peer that asks for more at once, answered or not, is refused. */
const maxOpenRequests = 10_000;

/** What a handler knows of the request that it answers. */
export interface RequestContext {
  readonly id: RequestId;
  /** Cancelled by the peer's `$/cancel_request`, and when the peer has gone. */
  readonly cancellation: CancellationToken;
  /** Settles when the answer has been written: what must come behind it waits for this. */
  readonly answered: Promise<void>;
  /** To be called when somebody else has the request: until then, or its answer, it counts as backlog. */
  readonly passedOn: () => void;
}

interface Incoming extends RequestContext {
  readonly cancel: () => void;
  readonly settle: () => void;
}

export class IncomingRequests {
  readonly #byId = new Map<RequestId, Incoming>();
  readonly #byToken = new WeakMap<CancellationToken, Incoming>();
  readonly #hold: () => () => void;

  /** @param hold counts the message that is being handed over as backlog; returns what ends that */
  constructor(hold: () => () => void) {
    this.#hold = hold;
  }

  /** Asked by a request that is counted already. Errors: `REQUEST_LIMIT`. */
  checkRoom(method: string): void {
    if (this.#byId.size <= maxOpenRequests) return;
    const message = `${method}: ${maxOpenRequests} requests wait for their answers; wait for one, or cancel it`;
    throw new SidecarError("REQUEST_LIMIT", message);
  }

  /** vscode-jsonrpc's hook at the start of a request. */
  readonly receiver = {
    kind: "request" as const,
    createCancellationTokenSource: (message: { id: RequestId | null }): CancellationTokenSource => {
      const source = new rpc.CancellationTokenSource();
      const incoming = startRequest((message as RequestMessage).id, source, this.#hold());
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
    if (isRequestId(id)) this.#byId.get(id)?.cancel();
  }

  answered(id: RequestId): void {
    this.#byId.get(id)?.settle();
    this.#byId.delete(id);
  }

  /** The peer has gone: nobody waits for the answers any more. */
  cancelAll(): void {
    for (const { cancel } of this.#byId.values()) cancel();
  }

  /** Settles when all requests that are open now have been answered. */
  async idle(): Promise<void> {
    await Promise.all([...this.#byId.values()].map(({ answered }) => answered));
  }
}

function startRequest(id: RequestId, source: CancellationTokenSource, passedOn: () => void): Incoming {
  let settle = () => {};
  const answered = new Promise<void>((resolve) => {
    settle = () => {
      passedOn();
      resolve();
    };
  });
  return { id, cancellation: source.token, answered, passedOn, cancel: () => source.cancel(), settle };
}
