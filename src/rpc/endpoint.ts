/**
 * One JSON-RPC peer over a pair of byte streams. Requests and responses are vscode-jsonrpc's; runs of
 * `session/update` and other notifications go to the handlers straight from the reader. Nothing overtakes:
 * a message is handed over only when the one before it has been taken.
 */
import type { Readable, Writable } from "node:stream";
import type { CancellationToken, Message, MessageConnection } from "vscode-jsonrpc/node";
import rpc from "vscode-jsonrpc/node";
import { reasonOf, SidecarError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { Backlog } from "./backlog.ts";
import { IncomingRequests, type RequestContext } from "./incoming.ts";
import { Inbox, type InvalidMessage } from "./inbox.ts";
import { textOf, unwritable, type RequestId } from "./messages.ts";
import { Output } from "./output.ts";
import { isLocalFailure, toResponseError } from "./response-error.ts";
import type { ArrivedUpdate } from "../acp/updates.ts";

export type { RequestContext } from "./incoming.ts";
export type { InvalidMessage } from "./inbox.ts";

/**
 * What a peer's messages are handed to. A promise that is returned holds back the messages behind; that of a
 * notification does so only when there is too much that waits like it.
 */
export interface PeerHandlers {
  /** The answer, or a rejection: `SidecarError` or a peer's `ResponseError` reach the other side as such. */
  request(method: string, params: unknown, context: RequestContext): Promise<unknown>;
  notification(method: string, params: unknown): void | Promise<void>;
  /** `session/update`s that arrived together, in order. */
  updates(updates: readonly ArrivedUpdate[]): void | Promise<void>;
  /** What is not a message of JSON-RPC. */
  invalid(message: InvalidMessage): void | Promise<void>;
}

export interface RequestOptions {
  /** Cancelling sends `$/cancel_request`; the request still ends with the peer's answer. */
  readonly cancellation?: CancellationToken;
  /** Told the id under which the request is sent. */
  readonly onSent?: (id: RequestId) => void;
  /** Told when the stream has taken the request. */
  readonly onTaken?: () => void;
}

export interface ConnectionOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly maxMessageBytes: number;
  readonly log: Logger;
}

const { ParameterStructures, ResponseError } = rpc;

export class Connection {
  readonly #rpc: MessageConnection;
  readonly #inbox: Inbox;
  readonly #output: Output;
  readonly #incoming: IncomingRequests;
  readonly #backlog: Backlog;
  readonly #log: Logger;
  #closeReason: SidecarError | undefined;
  /** Of the request that is being sent: set while `sendRequest` runs. */
  #sending: RequestOptions | undefined;
  #unwritable: SidecarError | undefined;

  constructor(options: ConnectionOptions, handlers: PeerHandlers) {
    this.#log = options.log;
    this.#backlog = new Backlog(options.maxMessageBytes);
    this.#inbox = new Inbox(options.input, options.maxMessageBytes, {
      updates: (updates) => handlers.updates(updates),
      notification: (method, params) => this.#notified(method, params, handlers),
      invalid: (message) => handlers.invalid(message),
      room: () => this.#backlog.room(),
      broken: (error) => options.log.warn({ error }, "reading from a peer failed"),
    });
    this.#output = new Output(options.output, () => this.#inbox.framing);
    this.#incoming = new IncomingRequests(() => this.#backlog.hold(this.#inbox.messageChars));
    this.#rpc = rpc.createMessageConnection(this.#inbox.reader, this.#writer(), undefined, {
      cancellationStrategy: {
        receiver: this.#incoming.receiver,
        sender: {
          sendCancellation: (_connection, id) => this.notify("$/cancel_request", { requestId: id }),
          cleanup: () => undefined,
        },
      },
      messageStrategy: this.#inbox.strategy,
    });
    this.#rpc.onRequest((method, params, token) =>
      this.#requested(method, params, token, handlers, options.log),
    );
    this.#rpc.listen();
  }

  /** Settles when the peer has sent its last message and all of them have been taken. */
  get ended(): Promise<void> {
    return this.#inbox.ended;
  }

  /** Settles when the peer reads no more, which a write to it shows. */
  get broken(): Promise<void> {
    return this.#output.broken;
  }

  /** Settles when the peer's open requests have been answered. */
  idle(): Promise<void> {
    return this.#incoming.idle();
  }

  /** Grows with whatever the peer says. */
  get received(): number {
    return this.#inbox.received;
  }

  /** What the peer has said is still being taken. */
  get isBehind(): boolean {
    return this.#inbox.isBehind;
  }

  /** For how long the peer has not been read because nothing of what it has sent could be passed on. */
  get stuckMs(): number {
    return this.#backlog.stuckMs;
  }

  get isOpen(): boolean {
    return this.#closeReason === undefined && this.#output.isOpen;
  }

  /** Rejects with the peer's `ResponseError`, or with the reason of `close`. */
  async request(method: string, params: unknown, options: RequestOptions = {}): Promise<unknown> {
    const { cancellation } = options;
    this.#throwIfClosed();
    let unsent: SidecarError | undefined;
    try {
      const args = [...positional(params), ...(cancellation ? [cancellation] : [])];
      this.#sending = options;
      const answer: Promise<unknown> = this.#rpc.sendRequest(method, ...args);
      this.#sending = undefined;
      unsent = this.#unwritable;
      this.#unwritable = undefined;
      return await answer;
    } catch (error) {
      if (this.#closeReason !== undefined && isLocalFailure(error)) throw this.#closeReason;
      throw unsent ?? error;
    }
  }

  /** Settles when the stream takes more. What cannot be written is dropped, and the log says so. */
  async notify(method: string, params: unknown): Promise<void> {
    const text = textOf({ jsonrpc: "2.0", method, params });
    if (text !== undefined) return this.#output.send(text);
    this.#log.warn({ method, error: reasonOf(unwritable(method)) }, "a notification was dropped");
  }

  /** Sends messages whose text is ready, one or more lines each. Settles when the stream takes more. */
  sendTexts(texts: readonly string[]): Promise<void> {
    return this.#output.sendAll(texts);
  }

  /** Answers what was no request, by JSON-RPC's rule for it. */
  sendError(id: RequestId | null, error: SidecarError): Promise<void> {
    return this.#output.send(JSON.stringify({ jsonrpc: "2.0", id, error: toResponseError(error).toJson() }));
  }

  /** Stops reading; what is pending goes on. */
  stopReading(): void {
    this.#inbox.stop();
  }

  flushed(): Promise<void> {
    return this.#output.flushed();
  }

  /** Ends the sending half: the peer sees the end of its input. */
  endOutput(): Promise<void> {
    return this.#output.end();
  }

  /** Rejects what is pending with `reason`. Idempotent. */
  close(reason: SidecarError): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    this.#inbox.stop();
    this.#incoming.cancelAll();
    this.#rpc.dispose();
    this.#output.abandon();
  }

  #throwIfClosed(): void {
    if (this.#closeReason !== undefined) throw this.#closeReason;
  }

  #notified(method: string, params: unknown, handlers: PeerHandlers): void {
    if (method === "$/cancel_request") return this.#incoming.cancel(params);
    const passing = handlers.notification(method, params);
    if (passing === undefined) return;
    const passedOn = this.#backlog.hold(this.#inbox.messageChars);
    void passing
      .catch((error: unknown) =>
        this.#log.warn({ method, error: reasonOf(error) }, "a notification was lost"),
      )
      .finally(passedOn);
  }

  async #requested(
    method: string,
    params: unknown,
    token: CancellationToken,
    handlers: PeerHandlers,
    log: Logger,
  ): Promise<unknown> {
    try {
      this.#incoming.checkRoom(method);
      return await handlers.request(method, params, this.#incoming.contextOf(token));
    } catch (error) {
      if (!(error instanceof SidecarError) && !(error instanceof ResponseError)) {
        log.error({ method, error }, "a request failed unexpectedly");
      }
      throw toResponseError(error);
    }
  }

  #writer() {
    const nothing = () => ({ dispose: () => undefined });
    return {
      onError: nothing,
      onClose: nothing,
      write: (message: Message): Promise<void> => {
        const { id, method } = message as unknown as { id: RequestId; method?: string };
        const text = textOf(message);
        if (method !== undefined) {
          if (text === undefined) {
            this.#unwritable = unwritable(method);
            return Promise.reject(this.#unwritable);
          }
          this.#sending?.onSent?.(id);
          const { onTaken } = this.#sending ?? {};
          const sent = this.#output.send(text);
          if (onTaken !== undefined) void sent.then(onTaken);
          return sent;
        }
        const sent =
          text === undefined ? this.sendError(id, unwritable("The answer")) : this.#output.send(text);
        this.#incoming.answered(id);
        return sent;
      },
      end: () => undefined,
      dispose: () => undefined,
    };
  }
}

/** Params as vscode-jsonrpc takes them so that they reach the wire unchanged: object, array or absent. */
function positional(params: unknown): unknown[] {
  if (params === undefined || params === null) return [];
  return Array.isArray(params) ? [ParameterStructures.byPosition, ...(params as unknown[])] : [params];
}
