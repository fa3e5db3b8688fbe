/** A client that runs for hours: it keeps nothing of what it is sent but how much it was and how late it came. */
import type { Program } from "../../e2e/harness/program.ts";
import type { Fields, Id, Message } from "../../e2e/harness/wire.ts";

/** Neither answered nor dead in this time: it hangs. */
const patienceMs = 120_000;

interface Waiting {
  readonly resolve: (result: Fields) => void;
  readonly reject: (error: Error) => void;
}

export class SoakClient {
  readonly program: Program;
  /** Called with every numbered piece: its session, its number, and how many ms it was on the way. */
  onPiece: (sessionId: string, number: number, lateMs: number) => void = () => undefined;
  readonly #waiting = new Map<Id, Waiting>();
  #nextId = 0;

  constructor(program: Program) {
    this.program = program;
    program.child.stdout.on("data", () => this.#take());
    void program.exited.then(() => this.#gone());
  }

  /** The result. Fails upon an error, and when there is neither in time. */
  async ask(method: string, params: Fields): Promise<Fields> {
    const id = (this.#nextId += 1);
    const answer = new Promise<Fields>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    const timer = setTimeout(
      () => this.#waiting.get(id)?.reject(new Error(`${method} was not answered in ${patienceMs} ms`)),
      patienceMs,
    );
    this.program.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** What was recorded is taken out of the recordings, which would grow for as long as the run lasts. */
  #take(): void {
    this.program.sent.entries.length = 0;
    const nowMs = performance.timeOrigin + performance.now();
    for (const { message, text } of this.program.out.entries.splice(0)) {
      if (message === undefined) throw new Error(`stdout holds what is no message: ${text.slice(0, 200)}`);
      if (message.method === undefined) this.#settle(message);
      else this.#read(message, nowMs);
    }
  }

  #read({ params }: Message, nowMs: number): void {
    const { content } = (params?.["update"] ?? {}) as { content?: { text?: unknown } };
    if (typeof content?.text !== "string") return;
    for (const [, number, atMs] of content.text.matchAll(/\[(\d+)@([\d.]+)\]/g)) {
      this.onPiece(String(params?.["sessionId"]), Number(number), nowMs - Number(atMs));
    }
  }

  #settle({ id, result, error }: Message): void {
    const waiting = this.#waiting.get(id ?? null);
    if (error === undefined) waiting?.resolve((result ?? {}) as Fields);
    else waiting?.reject(new Error(`The sidecar answered ${error.code}: ${error.message}`));
  }

  #gone(): void {
    const error = new Error(`The sidecar died: ${this.program.stderr.slice(-2000)}`);
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}
