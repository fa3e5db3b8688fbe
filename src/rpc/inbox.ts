/**
 * The receiving half of a connection: reads chunks, cuts and parses them, and hands everything over in
 * order, one after the other, so that a handler that is behind stops the reading.
 */
import { finished, type Readable } from "node:stream";
import { SidecarError, type ErrorCode } from "../base/errors.ts";
import { FrameDecoder, type Frame, type Framing } from "./framing.ts";
import {
  isRequestId,
  noAnswer,
  parseMessage,
  type Lane,
  type Parsed,
  type RequestId,
  type RequestMessage,
  type ResponseMessage,
} from "./messages.ts";

/** So much may wait behind the chunk that is taken: to be stopped and started for each chunk would cost a long turn 6 %. */
const enoughAheadBytes = 256 << 10;

/** What is not a message, and how JSON-RPC wants it to be answered: with this error, under this id. */
export interface InvalidMessage {
  readonly id: RequestId | null;
  /** `PARSE_ERROR`, `INVALID_REQUEST`, `MESSAGE_TOO_LARGE`. */
  readonly error: SidecarError;
  /** How it began, for debug logs only: it may quote content. */
  readonly excerpt: string;
}

interface InboxHandlers {
  request(message: RequestMessage): void;
  response(message: ResponseMessage): void;
  notification(method: string, params: unknown): void;
  invalid(message: InvalidMessage): void | Promise<void>;
  /** Asked after every message that does not go by the lane: a promise holds back the reading. */
  room(): Promise<void> | undefined;
  /** The stream broke, or a handler failed: nothing more will be read. */
  broken(error: unknown): void;
}

/** What the lane has recognised, in the place of its frames. */
type Laned = Extract<Parsed<unknown>, { type: "lane" }>;

export class Inbox {
  readonly ended: Promise<void>;
  readonly #input: Readable;
  readonly #maxMessageBytes: number;
  readonly #decoder: FrameDecoder<Laned>;
  readonly #handlers: InboxHandlers;
  readonly #lane: Lane<unknown> | undefined;
  #stopped = false;
  #messageChars = 0;
  #received = 0;
  #behind = false;

  constructor(input: Readable, maxMessageBytes: number, handlers: InboxHandlers, lane?: Lane<unknown>) {
    this.#input = input;
    this.#maxMessageBytes = maxMessageBytes;
    this.#handlers = handlers;
    this.#lane = lane;
    this.#decoder = new FrameDecoder(maxMessageBytes, (lines) => {
      const item = lane?.recognise(lines);
      return item === undefined ? undefined : { type: "lane", item };
    });
    // Not at once: whoever makes us is not ready for messages yet.
    this.ended = Promise.resolve().then(() => this.#pump());
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

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#input.destroy();
  }

  async #pump(): Promise<void> {
    try {
      await this.#read();
      await this.#take(this.#decoder.end());
    } catch (error) {
      if (!this.#stopped) this.#handlers.broken(error);
      this.#input.destroy();
    }
  }

  /**
   * Settles when the stream has ended and every chunk has been taken. By events, because iterating over a stream costs
   * a prompt more than cutting and parsing it.
   */
  #read(): Promise<void> {
    const input = this.#input;
    const waiting: Buffer[] = [];
    let waitingBytes = 0;
    const next = () => {
      const chunk = waiting.shift();
      waitingBytes -= chunk?.length ?? 0;
      return chunk;
    };
    return new Promise((resolve, reject) => {
      const takeAll = async (first: Buffer): Promise<void> => {
        this.#behind = true;
        for (let chunk: Buffer | undefined = first; chunk !== undefined; chunk = next())
          await this.#take(this.#decoder.push(chunk));
        this.#behind = false;
        if (input.isPaused()) input.resume();
      };
      let taking: Promise<void> | undefined;
      input.on("data", (chunk: Buffer) => {
        this.#received += 1;
        if (!this.#behind) {
          taking = takeAll(chunk).catch(reject);
          return;
        }
        waiting.push(chunk);
        waitingBytes += chunk.length;
        // No more comes when it is told to pause.
        if (waitingBytes >= enoughAheadBytes) input.pause();
      });
      finished(input, { writable: false }, (error) => {
        void Promise.resolve(taking).then(() => (error ? reject(error) : resolve()));
      });
    });
  }

  async #take(frames: readonly (Frame | Laned)[]): Promise<void> {
    let batch: unknown[] = [];
    for (const frame of frames) {
      if (this.#stopped) return;
      const parsed = typeof frame === "string" ? parseMessage(frame, this.#lane) : frame;
      if ("type" in parsed && parsed.type === "lane") {
        this.#lane?.add(batch, parsed.item);
        continue;
      }
      if (batch.length > 0) {
        const before = batch;
        batch = [];
        await this.#lane?.deliver(before);
        if (this.#stopped) return;
      }
      const text = typeof frame === "string" ? frame : "";
      this.#messageChars = text.length;
      await ("fault" in parsed && !("type" in parsed) ? this.#skipped(parsed) : this.#handOver(parsed, text));
      await this.#handlers.room();
    }
    if (batch.length > 0) await this.#lane?.deliver(batch);
  }

  async #handOver(parsed: Exclude<Parsed<unknown>, Laned>, text: string): Promise<void> {
    switch (parsed.type) {
      case "notification":
        return this.#handlers.notification(parsed.method, parsed.params);
      case "request":
        this.#handlers.request(parsed.message);
        return aTurnOfTheLoop();
      case "response":
        await this.#respond(parsed.message);
        if (parsed.fault !== undefined) await this.#reject("INVALID_REQUEST", parsed.fault, text);
        return;
      case "not-json":
        return this.#reject("PARSE_ERROR", "The message is not JSON", text);
      case "invalid":
        return this.#reject("INVALID_REQUEST", parsed.reason, text, parsed.id);
    }
  }

  async #respond(message: ResponseMessage): Promise<void> {
    this.#handlers.response(message);
    await aTurnOfTheLoop();
  }

  async #reject(code: ErrorCode, reason: string, text: string, id: RequestId | null = null): Promise<void> {
    await this.#handlers.invalid({ id, error: new SidecarError(code, reason), excerpt: text.slice(0, 200) });
  }

  async #skipped(frame: Exclude<Frame, string>): Promise<void> {
    if (frame.fault === "bad-header")
      return this.#reject("PARSE_ERROR", "The header block has no Content-Length", "");
    const { start, outline } = frame;
    const reason = `The message is longer than the limit of ${this.#maxMessageBytes} bytes`;
    const hint = `${reason}; raise --max-message-bytes`;
    const id = isRequestId(outline.id) ? outline.id : null;
    const isCall = "method" in outline;
    // Whoever waits for it must hear something, though not what was said.
    if (id !== null && !isCall) await this.#respond(noAnswer(id, hint, "MESSAGE_TOO_LARGE"));
    const item = isCall && id === null ? this.#lane?.skipped?.(outline, hint) : undefined;
    if (item !== undefined) await this.#lane?.deliver([item]);
    await this.#reject("MESSAGE_TOO_LARGE", reason, start, isCall ? id : null);
  }
}

/** Lets whoever was given a message go on before the next one is handed over. */
function aTurnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
