/** A client without manners: sends any bytes, and awaits answers by id or whatever comes next. */
import type { Program } from "./program.ts";
import {
  frame,
  isResponseTo,
  type Fields,
  type Framing,
  type Id,
  type Message,
  type WaitOptions,
} from "./wire.ts";

export const initializeParams: Fields = { protocolVersion: 1, clientCapabilities: {} };

export class RawClient {
  readonly program: Program;
  #nextId = 1;

  readonly #framing: Framing;

  constructor(program: Program, framing: Framing = "lines") {
    this.program = program;
    this.#framing = framing;
  }

  /** Sends `value` as one framed JSON text; a string or bytes go as they are. */
  send(value: unknown): void {
    const raw = typeof value === "string" || Buffer.isBuffer(value);
    this.program.write(raw ? value : frame(value, this.#framing));
  }

  notify(method: string, params?: Fields): void {
    this.send({ jsonrpc: "2.0", method, ...(params === undefined ? {} : { params }) });
  }

  /** Sends a request and returns its whole response, error or not. */
  async ask(method: string, params?: unknown, id: Id = `raw-${this.#nextId++}`): Promise<Message> {
    const from = this.program.out.length;
    this.send({ jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) });
    return this.program.out.waitFor(`answer to ${method}`, isResponseTo(id), { from });
  }

  /** The result of a request that must succeed. */
  async request(method: string, params?: unknown, id?: Id): Promise<Fields> {
    const { result, error } = await this.ask(method, params, id);
    if (error !== undefined) throw new Error(`${method}: ${error.code} ${error.message}`);
    return result as Fields;
  }

  /** Sends bytes and returns the first message after them that fits. */
  async exchange(
    bytes: string | Buffer,
    fits: (message: Message) => boolean = () => true,
    options: WaitOptions = {},
  ): Promise<Message> {
    const from = this.program.out.length;
    this.program.write(bytes);
    return this.program.out.waitFor("answer to raw bytes", fits, { from, ...options });
  }

  initialize(params: Fields = initializeParams): Promise<Fields> {
    return this.request("initialize", params);
  }

  async newSession(cwd: string, more: Fields = {}): Promise<string> {
    const { sessionId } = await this.request("session/new", { cwd, mcpServers: [], ...more });
    return sessionId as string;
  }

  prompt(sessionId: string, text: string): Promise<Fields> {
    return this.request("session/prompt", { sessionId, prompt: [{ type: "text", text }] });
  }
}
