/** A torture client: everything that it asks and is sent goes into the run's history. */
import type { Program } from "../../e2e/harness/program.ts";
import type { Fields, Id, Message, RpcError, Update } from "../../e2e/harness/wire.ts";
import type { Run } from "./run.ts";

/** It is shown what the agent says, and not the nearest thing that others take. */
export const takesAll = { session: { compaction: {} }, plan: {}, subagents: {} };

export class TortureClient {
  readonly name: string;
  readonly program: Program;
  readonly run: Run;
  /** Errors that it was answered, by code. */
  readonly errors = new Map<string, number>();
  /** Called with every message that it is sent. */
  onTold: (message: Message) => void = () => undefined;
  /** Neither answered nor dead in this time: it hangs. A machine at fifty times its load has taken half a minute. */
  patienceMs = 120_000;
  /** Whether it answers the agent's permission requests. */
  answersRequests = true;
  told = 0;
  /** By code, the last error: what was asked, and its message. */
  readonly lastErrors = new Map<string, string>();
  readonly #waiting = new Map<Id, (answer: Message | undefined) => void>();
  #taken = 0;
  #nextId = 0;

  constructor(run: Run, program: Program, person = "client") {
    this.run = run;
    this.name = run.nextClient(person);
    this.program = program;
    program.child.stdout.on("data", () => this.#take());
    void program.exited.then(() => this.#gone());
  }

  get isAlive(): boolean {
    return this.program.running;
  }

  /** The answer; undefined when the sidecar was gone before it came. Fails when there is neither. */
  async ask(method: string, params: Fields): Promise<Message | undefined> {
    if (!this.isAlive) return undefined;
    const id = (this.#nextId += 1);
    const answer = new Promise<Message | undefined>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(this.#hangs(method, id))), this.patienceMs);
      this.#waiting.set(id, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
    });
    this.#send({ id, method, params });
    const message = await answer;
    if (message?.error !== undefined) this.#noteError(method, params, message.error);
    return message;
  }

  notify(method: string, params: Fields): void {
    if (this.isAlive) this.#send({ method, params });
  }

  /** The updates of a session that came between the request for it and its answer, and the answer. */
  async load(sessionId: string): Promise<{ answer: Message | undefined; replay: Update[] }> {
    const from = this.program.out.length;
    const answer = await this.ask("session/load", { sessionId, cwd: "/", mcpServers: [] });
    return { answer, replay: this.program.out.updates(sessionId, from) };
  }

  async initialize(): Promise<Message | undefined> {
    return this.ask("initialize", { protocolVersion: 1, clientCapabilities: takesAll });
  }

  #send(message: Message): void {
    this.run.note({ kind: "asked", client: this.name, message });
    this.program.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }

  #take(): void {
    const { entries } = this.program.out;
    for (; this.#taken < entries.length; this.#taken += 1) {
      const message = entries[this.#taken]?.message;
      if (message === undefined)
        throw new Error(`stdout holds what is no message: ${entries[this.#taken]?.text}`);
      this.told += 1;
      this.run.note({ kind: "told", client: this.name, message });
      this.#settle(message);
      this.onTold(message);
    }
  }

  #settle({ id, method }: Message): void {
    if (id === undefined) return;
    if (method !== undefined) this.#answer(id);
    else {
      this.#waiting.get(id)?.(this.program.out.entries[this.#taken]?.message);
      this.#waiting.delete(id);
    }
  }

  #answer(id: Id): void {
    if (!this.answersRequests) return;
    const result = { outcome: { outcome: "selected", optionId: "yes" } };
    this.program.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`);
  }

  #gone(): void {
    for (const settle of this.#waiting.values()) settle(undefined);
    this.#waiting.clear();
  }

  #noteError(method: string, { sessionId }: Fields, error: RpcError): void {
    const code = codeOf(error);
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
    this.lastErrors.set(code, `${method} ${String(sessionId)}: ${error.message}`);
  }

  #hangs(method: string, id: number): string {
    return [
      `${this.name}: ${method} (id ${id}) was not answered within ${this.patienceMs} ms`,
      `open: ${JSON.stringify(this.run.ledger.openRequests(this.name))}`,
      this.run.tail(this.name, 20),
      `stderr: ${this.program.stderr.slice(-2000)}`,
    ].join("\n");
  }
}

/** An error's name, or its number when it has none. */
export function codeOf({ code, data }: RpcError): string {
  const name = data?.["code"];
  return typeof name === "string" ? name : String(code);
}
