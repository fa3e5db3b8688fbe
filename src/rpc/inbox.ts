/**
 * The receiving half of a connection: reads chunks, cuts and parses them, and hands everything over in
 * order, one read at a time, so that a handler that is behind stops the reading.
 */
import type { Readable } from "node:stream";
import type { Message, MessageReader, MessageStrategy } from "vscode-jsonrpc/node";
import { FrameDecoder, type Frame, type Framing } from "./framing.ts";
import { envelopeOf, noAnswer, parseMessage, type RequestId } from "./messages.ts";
import { TextChunks } from "../acp/chunks.ts";
import { addUpdate, type ArrivedUpdate, type ChunkRun } from "../acp/updates.ts";

/** A message that is none, and what JSON-RPC wants to be said of it. */
export interface InvalidMessage {
  readonly fault: "not-json" | "bad-envelope" | "oversized" | "bad-header";
  readonly id: RequestId | null;
  readonly reason: string;
  /** How it began, for debug logs only: it may quote content. */
  readonly excerpt: string;
}

export interface InboxHandlers {
  notification(method: string, params: unknown): void;
  updates(updates: readonly ArrivedUpdate[]): void | Promise<void>;
  invalid(message: InvalidMessage): void | Promise<void>;
  /** Asked behind every request and notification: a promise holds back the reading. */
  room(): Promise<void> | undefined;
  /** The stream broke, or a handler failed: nothing more will be read. */
  broken(error: unknown): void;
}

export class Inbox {
  readonly ended: Promise<void>;
  readonly #input: Readable;
  readonly #maxMessageBytes: number;
  readonly #decoder: FrameDecoder<ChunkRun>;
  readonly #handlers: InboxHandlers;
  readonly #chunks = new TextChunks();
  #stopped = false;
  #messageChars = 0;
  #received = 0;
  #behind = false;
  #deliver: (message: Message) => void = () => undefined;
  #delivered: () => void = () => undefined;
  #start: () => void = () => undefined;

  constructor(input: Readable, maxMessageBytes: number, handlers: InboxHandlers) {
    this.#input = input;
    this.#maxMessageBytes = maxMessageBytes;
    this.#decoder = new FrameDecoder(maxMessageBytes, (lines) => this.#chunks.recognise(lines));
    this.#handlers = handlers;
    const started = new Promise<void>((resolve) => {
      this.#start = resolve;
    });
    this.ended = started.then(() => this.#pump());
  }

  /** How to write to a peer that writes like this. */
  get framing(): Framing {
    return this.#decoder.framing ?? "ndjson";
  }

  /** Chunks read so far: whether the peer has said anything since. */
  get received(): number {
    return this.#received;
  }

  /** Length of the message that is being handed over. */
  get messageChars(): number {
    return this.#messageChars;
  }

  /** A chunk that was read is still being taken. */
  get isBehind(): boolean {
    return this.#behind;
  }

  /** vscode-jsonrpc's view of us: it gets requests and responses, one at a time. */
  readonly reader: MessageReader = {
    onError: () => ({ dispose: () => undefined }),
    onClose: () => ({ dispose: () => undefined }),
    onPartialMessage: () => ({ dispose: () => undefined }),
    listen: (deliver) => {
      this.#deliver = deliver;
      this.#start();
      return { dispose: () => this.stop() };
    },
    dispose: () => this.stop(),
  };

  /** vscode-jsonrpc's word that it has taken a message up. */
  readonly strategy: MessageStrategy = {
    handleMessage: (message, next) => {
      // Runs the handler's first step or settles the pending request. A rejection is vscode-jsonrpc's to log.
      const result = next(message);
      this.#delivered();
      return result;
    },
  };

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#delivered();
    this.#input.destroy();
  }

  async #pump(): Promise<void> {
    try {
      for await (const chunk of this.#input) {
        this.#received += 1;
        this.#behind = true;
        await this.#take(this.#decoder.push(chunk as Buffer));
        this.#behind = false;
        if (this.#stopped) return;
      }
      await this.#take(this.#decoder.end());
    } catch (error) {
      if (!this.#stopped) this.#handlers.broken(error);
    }
  }

  async #take(frames: readonly (Frame | ChunkRun)[]): Promise<void> {
    let updates: ArrivedUpdate[] = [];
    for (const frame of frames) {
      if (this.#stopped) return;
      if (typeof frame === "object" && "bodies" in frame) {
        addUpdate(updates, frame);
        continue;
      }
      const parsed = typeof frame === "string" ? parseMessage(frame, this.#chunks) : undefined;
      if (parsed?.type === "update") {
        addUpdate(updates, parsed.update);
        continue;
      }
      if (updates.length > 0) {
        const run = updates;
        updates = [];
        await this.#handlers.updates(run);
      }
      this.#messageChars = typeof frame === "string" ? frame.length : 0;
      if (parsed?.type === "request" || parsed?.type === "response") {
        await this.#handOver(parsed.message);
        if (parsed.type === "response" && parsed.fault !== undefined)
          await this.#reject(frame, { type: "invalid", id: null, reason: parsed.fault });
      } else if (parsed?.type === "notification") this.#handlers.notification(parsed.method, parsed.params);
      else await this.#reject(frame, parsed);
      await this.#handlers.room();
    }
    if (updates.length > 0) await this.#handlers.updates(updates);
  }

  /** Settles when vscode-jsonrpc has taken the message and whoever waited for it has run. */
  async #handOver(message: Message): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#delivered = resolve;
      this.#deliver(message);
    });
    await new Promise((resolve) => setImmediate(resolve));
  }

  #reject(
    frame: Frame,
    parsed: { type: "not-json" } | { type: "invalid"; id: RequestId | null; reason: string } | undefined,
  ): void | Promise<void> {
    if (typeof frame !== "string") return this.#rejectFault(frame);
    const excerpt = frame.slice(0, 200);
    if (parsed?.type === "invalid") {
      return this.#handlers.invalid({ fault: "bad-envelope", id: parsed.id, reason: parsed.reason, excerpt });
    }
    return this.#handlers.invalid({
      fault: "not-json",
      id: null,
      reason: "The message is not JSON",
      excerpt,
    });
  }

  async #rejectFault(frame: Exclude<Frame, string>): Promise<void> {
    if (frame.fault === "bad-header") {
      const reason = "The header block has no Content-Length";
      return this.#handlers.invalid({ fault: frame.fault, id: null, reason, excerpt: "" });
    }
    const reason = `The message is longer than the limit of ${this.#maxMessageBytes} bytes`;
    const envelope = envelopeOf(frame);
    // Whoever asked must hear something, though not what was said.
    if (envelope?.type === "response") {
      await this.#handOver(
        noAnswer(envelope.id, `${reason}; raise --max-message-bytes`, "MESSAGE_TOO_LARGE"),
      );
    }
    const id = envelope?.type === "request" ? envelope.id : null;
    await this.#handlers.invalid({ fault: frame.fault, id, reason, excerpt: frame.start });
  }
}
