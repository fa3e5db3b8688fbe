/** The peer's requests while they run: their ids, their cancellation by `$/cancel_request`, their end. */
import { Deferred } from "../base/deferred.ts";
import { SidecarError } from "../base/errors.ts";
import { isRecord } from "../base/json.ts";
import { isRequestId, type RequestId } from "./messages.ts";

/** A peer that asks for more at once, answered or not, is refused. */
const maxOpenRequests = 10_000;

/** What a handler knows of the request that it answers. */
export interface RequestContext {
  readonly id: RequestId;
  /** Aborted by the peer's `$/cancel_request`, and when the peer has gone. Made when it is first asked for. */
  readonly signal: AbortSignal;
  /** The same for one listener, without a signal. Returns what ends the listening. */
  readonly onCancel: OnCancel;
  /** Settles when the answer has been written: what must come after it waits for this. */
  readonly answered: Promise<void>;
  /** To be called when somebody else has the request: until then, or its answer, it counts as backlog. */
  readonly passedOn: () => void;
}

/** Calls `listener` once, at once if it is cancelled already. */
export type OnCancel = (listener: () => void) => () => void;

interface IncomingRequest extends RequestContext {
  readonly cancel: () => void;
  readonly settle: () => void;
}

export class IncomingRequests {
  readonly #byId = new Map<RequestId, IncomingRequest>();

  /** @param passedOn ends the counting of the message as backlog */
  open(id: RequestId, passedOn: () => void): IncomingRequest {
    const incoming = startRequest(id, passedOn);
    // A peer that reuses the id of an open request must not leave anybody waiting for its answer.
    this.#byId.get(id)?.settle();
    this.#byId.set(id, incoming);
    return incoming;
  }

  /** Asked by a request that is counted already. Errors: `REQUEST_LIMIT`. */
  checkRoom(method: string): void {
    if (this.#byId.size <= maxOpenRequests) return;
    const message = `${method}: ${maxOpenRequests} requests wait for their answers; wait for one, or cancel it`;
    throw new SidecarError("REQUEST_LIMIT", message);
  }

  cancel(params: unknown): void {
    const id = isRecord(params) ? params.requestId : undefined;
    if (isRequestId(id)) this.#byId.get(id)?.cancel();
  }

  answered(incoming: IncomingRequest): void {
    incoming.settle();
    if (this.#byId.get(incoming.id) === incoming) this.#byId.delete(incoming.id);
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

function startRequest(id: RequestId, passedOn: () => void): IncomingRequest {
  const cancellation = new Cancellation();
  const answered = new Deferred();
  return {
    id,
    get signal() {
      return cancellation.signal;
    },
    onCancel: (listener) => cancellation.on(listener),
    answered: answered.promise,
    passedOn,
    cancel: () => cancellation.cancel(),
    settle: () => {
      passedOn();
      answered.settle();
    },
  };
}

/** Most requests end without one, and an AbortSignal costs as much as reading the request. */
class Cancellation {
  readonly #listeners = new Set<() => void>();
  #isCancelled = false;
  #controller: AbortController | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isCancelled) this.#abort();
    }
    return this.#controller.signal;
  }

  on(listener: () => void): () => void {
    if (this.#isCancelled) listener();
    else this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#abort();
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  /** With an error of ours, which whoever gives up for it throws. */
  #abort(): void {
    this.#controller?.abort(new SidecarError("REQUEST_CANCELLED", "The request was cancelled"));
  }
}
