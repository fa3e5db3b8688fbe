/** JSON-RPC messages as tests see them, and a recording of one direction of a pipe. */

export type Id = string | number | null;
export type Fields = Readonly<Record<string, unknown>>;

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: Fields;
}

export interface Message {
  readonly jsonrpc?: unknown;
  readonly id?: Id;
  readonly method?: string;
  readonly params?: Fields;
  readonly result?: unknown;
  readonly error?: RpcError;
}

export interface Update extends Fields {
  readonly sessionUpdate: string;
}

export interface Recorded {
  readonly text: string;
  /** Absent when the text is not a JSON object. */
  readonly message?: Message;
  readonly atMs: number;
}

/** Cuts chunks into the texts of messages; `rest` is what no message was made of yet. */
export interface Decoder {
  push(chunk: Buffer): string[];
  rest(): string;
}

export function lineDecoder(): Decoder {
  let rest: Buffer[] = [];
  return {
    push(chunk) {
      const lines: string[] = [];
      let from = 0;
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
        lines.push(Buffer.concat([...rest, chunk.subarray(from, at)]).toString("utf8"));
        rest = [];
        from = at + 1;
      }
      if (from < chunk.length) rest.push(chunk.subarray(from));
      return lines;
    },
    rest: () => Buffer.concat(rest).toString("utf8"),
  };
}

/** LSP's framing: `Content-Length: N`, an empty line, N bytes. */
export function headerDecoder(): Decoder {
  let rest = Buffer.alloc(0);
  const takeBody = (): string | undefined => {
    const headEnd = rest.indexOf("\r\n\r\n");
    if (headEnd === -1) return undefined;
    const length = Number(/content-length: *(\d+)/i.exec(rest.toString("latin1", 0, headEnd))?.[1]);
    if (rest.length < headEnd + 4 + length) return undefined;
    const body = rest.toString("utf8", headEnd + 4, headEnd + 4 + length);
    rest = rest.subarray(headEnd + 4 + length);
    return body;
  };
  return {
    push(chunk) {
      rest = Buffer.concat([rest, chunk]);
      const bodies: string[] = [];
      for (let body = takeBody(); body !== undefined; body = takeBody()) bodies.push(body);
      return bodies;
    },
    rest: () => rest.toString("utf8"),
  };
}

function parse(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? value : undefined;
  } catch {
    return undefined;
  }
}

export type Framing = "lines" | "headers";

const decoders = { lines: lineDecoder, headers: headerDecoder };

export function frame(value: unknown, framing: Framing): string {
  const body = JSON.stringify(value);
  return framing === "lines" ? `${body}\n` : `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

export interface WaitOptions {
  /** Only messages from this place on. */
  readonly from?: number;
  readonly timeoutMs?: number;
}

/** Everything that went one way through a pipe, in order, and who waits for more. */
export class Recording {
  readonly entries: Recorded[] = [];
  readonly #decoder: Decoder;
  readonly #watchers = new Set<() => void>();

  constructor(framing: Framing = "lines") {
    this.#decoder = decoders[framing]();
  }

  push(chunk: Buffer): void {
    for (const text of this.#decoder.push(chunk)) this.#add(text);
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Bytes that did not make a whole message. */
  get rest(): string {
    return this.#decoder.rest();
  }

  get length(): number {
    return this.entries.length;
  }

  messages(from = 0): Message[] {
    return this.entries.slice(from).flatMap(({ message }) => (message === undefined ? [] : [message]));
  }

  /** The updates of one session, or of all, in order. */
  updates(sessionId?: string, from = 0): Update[] {
    return this.messages(from)
      .filter(({ method }) => method === "session/update")
      .filter(({ params }) => sessionId === undefined || params?.["sessionId"] === sessionId)
      .map(({ params }) => params?.["update"] as Update);
  }

  /** The first message that fits, now or later. */
  async waitFor(
    what: string,
    fits: (message: Message) => boolean,
    { from = 0, timeoutMs = 60_000 }: WaitOptions = {},
  ): Promise<Message> {
    let at = from;
    const find = (): Message | undefined => {
      for (; at < this.entries.length; at += 1) {
        const message = this.entries[at]?.message;
        if (message !== undefined && fits(message)) return message;
      }
      return undefined;
    };
    const found = find();
    if (found !== undefined) return found;
    return new Promise((resolve, reject) => {
      const look = () => {
        const message = find();
        if (message === undefined) return;
        stop();
        resolve(message);
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`No ${what} within ${timeoutMs} ms; last was ${this.#last()}`));
      }, timeoutMs);
      const stop = () => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      this.#watchers.add(look);
    });
  }

  #add(text: string): void {
    if (text === "") return;
    const message = parse(text);
    this.entries.push({ text, atMs: Date.now(), ...(message === undefined ? {} : { message }) });
  }

  #last(): string {
    return this.entries.at(-1)?.text.slice(0, 300) ?? "nothing";
  }
}

export const isResponseTo =
  (id: Id) =>
  (message: Message): boolean =>
    message.method === undefined && message.id === id && ("result" in message || "error" in message);

/** The text of a run of chunks of one kind. */
export function textOf(updates: readonly Update[], kind = "agent_message_chunk"): string {
  return updates
    .filter((update) => update?.sessionUpdate === kind)
    .map(({ content }) => (content as { text?: string } | undefined)?.text ?? "")
    .join("");
}
