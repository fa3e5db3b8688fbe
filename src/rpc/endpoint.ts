/**
 * One JSON-RPC peer over a pair of byte streams. Nothing overtakes: a message is handed over only when the one
 * before it has been taken. What goes by the fast lane goes straight from the reader to its taker.
 */
import type { Readable, Writable } from "node:stream";
import { loggedReason, reasonOf, SidecarError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { Queue } from "../base/queue.ts";
import { Backlog } from "./backlog.ts";
import { RpcError, toRpcError } from "./errors.ts";
import { Inbox, type InvalidMessage } from "./inbox.ts";
import { IncomingRequests, type OnCancel, type RequestContext } from "./incoming.ts";
import {
  wireText,
  unwritable,
  type Lane,
  type RequestId,
  type RequestMessage,
  type ResponseMessage,
} from "./messages.ts";
import { OutgoingRequests } from "./outgoing.ts";
import { Output } from "./output.ts";

export type { RequestContext } from "./incoming.ts";
export type { InvalidMessage } from "./inbox.ts";

/**
 * What a peer's messages are handed to. A returned promise holds back the messages after it; that of a notification
 * does so only when too much is waiting.
 */
export interface PeerHandlers {
  /** The answer, or a rejection: `SidecarError` or a peer's `RpcError` reach the other side as such. */
  request(method: string, params: unknown, context: RequestContext): Promise<unknown>;
  notification(method: string, params: unknown): void | Promise<void>;
  /** What is not a message of JSON-RPC. */
  invalid(message: InvalidMessage): void | Promise<void>;
}

export interface RequestOptions {
  /** Aborting sends `$/cancel_request`; the request still ends with the peer's answer. */
  readonly signal?: AbortSignal;
  /** The same for one that answers another request. */
  readonly onCancel?: OnCancel;
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
  readonly lane?: Lane<unknown>;
}

/** What has come and is not passed on yet is bounded by this, however long a single message may be. */
const maxBacklogChars = 8 << 20;
/** What a waiting call takes besides its text. */
const callOverheadChars = 1000;

export class Connection {
  readonly #inbox: Inbox;
  readonly #output: Output;
  readonly #incoming = new IncomingRequests();
  readonly #outgoing = new OutgoingRequests();
  readonly #backlog: Backlog;
  readonly #handlers: PeerHandlers;
  /** Calls of a peer that does not read wait here, so that answers do not pile up. */
  readonly #unread = new Queue();
  readonly #log: Logger;
  #closeReason: SidecarError | undefined;

  constructor({ input, output, maxMessageBytes, log, lane }: ConnectionOptions, handlers: PeerHandlers) {
    this.#log = log;
    this.#handlers = handlers;
    this.#backlog = new Backlog(Math.min(maxMessageBytes, maxBacklogChars));
    const takers = {
      request: (message: RequestMessage) => this.#whenRead((chars) => void this.#requested(message, chars)),
      response: (message: ResponseMessage) => this.#outgoing.answered(message),
      notification: (method: string, params: unknown) =>
        this.#whenRead((chars) => this.#notified(method, params, chars)),
      invalid: (message: InvalidMessage) => handlers.invalid(message),
      room: () => this.#backlog.room(),
      broken: (error: unknown) => log.warn({ error }, "reading from a peer failed"),
    };
    this.#inbox = new Inbox(input, maxMessageBytes, takers, lane);
    this.#output = new Output(output, () => this.#inbox.framing);
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
    return this.#unread.length === 0 ? this.#backlog.stuckMs : 0;
  }

  get isOpen(): boolean {
    return this.#closeReason === undefined && this.#output.isOpen;
  }

  /** Rejects with the peer's `RpcError`, or with the reason of `close`. */
  async request(method: string, params: unknown, options: RequestOptions = {}): Promise<unknown> {
    if (this.#closeReason !== undefined) throw this.#closeReason;
    const { signal, onCancel, onSent, onTaken } = options;
    const { id, answer } = this.#outgoing.open();
    const text = wireText({ jsonrpc: "2.0", id, method, params: params ?? undefined });
    if (text === undefined) {
      this.#outgoing.withdraw(id);
      throw unwritable(method);
    }
    onSent?.(id);
    const sent = this.#output.send(text);
    if (onTaken !== undefined) void sent.then(onTaken);
    const cancel = () => void this.notify("$/cancel_request", { requestId: id });
    if (signal?.aborted === true) cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    const endListening = onCancel?.(cancel);
    return answer.finally(() => {
      signal?.removeEventListener("abort", cancel);
      endListening?.();
    });
  }

  /** Settles when the stream takes more. What cannot be written is dropped, and the log says so. */
  async notify(method: string, params: unknown): Promise<void> {
    const text = wireText({ jsonrpc: "2.0", method, params });
    if (text !== undefined) return this.#output.send(text);
    this.#log.warn({ method, error: reasonOf(unwritable(method)) }, "a notification was dropped");
  }

  /** Sends messages whose text is ready, one or more lines each. Settles when the stream takes more. */
  sendTexts(texts: readonly string[]): Promise<void> {
    return this.#output.sendAll(texts);
  }

  /** Answers what was no request, by JSON-RPC's rule for it. */
  sendError(id: RequestId | null, error: SidecarError): Promise<void> {
    return this.#output.send(errorText(id, error));
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
    this.#outgoing.rejectAll(reason);
    this.#output.abandon();
  }

  /** Takes the call that has come when the peer has read enough of what it was sent, in order. */
  #whenRead(take: (chars: number) => void): void {
    const chars = this.#inbox.messageChars;
    if (this.#unread.length === 0 && this.#output.room() === undefined) return take(chars);
    const passedOn = this.#backlog.hold(chars + callOverheadChars);
    void this.#unread.run(async () => {
      await this.#output.room();
      passedOn();
      if (this.#closeReason === undefined) take(chars);
    });
  }

  #notified(method: string, params: unknown, chars: number): void {
    if (method === "$/cancel_request") return this.#incoming.cancel(params);
    const passing = this.#handlers.notification(method, params);
    if (passing === undefined) return;
    const passedOn = this.#backlog.hold(chars);
    void passing
      .catch((error: unknown) =>
        this.#log.warn({ method, error: loggedReason(error, this.#log) }, "a notification was lost"),
      )
      .finally(passedOn);
  }

  async #requested({ id, method, params }: RequestMessage, chars: number): Promise<void> {
    const incoming = this.#incoming.open(id, this.#backlog.hold(chars));
    let text: string;
    try {
      this.#incoming.checkRoom(method);
      const result = await this.#handlers.request(method, params, incoming);
      text =
        wireText({ jsonrpc: "2.0", id, result: result ?? null }) ?? errorText(id, unwritable("The answer"));
    } catch (error) {
      if (!(error instanceof SidecarError) && !(error instanceof RpcError)) {
        this.#log.error({ method, error }, "a request failed unexpectedly");
      }
      text = errorText(id, error);
    }
    void this.#output.send(text);
    this.#incoming.answered(incoming);
  }
}

function errorText(id: RequestId | null, error: unknown): string {
  const message = { jsonrpc: "2.0", id, error: toRpcError(error).toJson() };
  return wireText(message) ?? errorText(id, unwritable("The error"));
}
