/** Keeps the account of a fuzzed connection: which lines were requests, and how often each was answered. */
import { isRecord } from "../../../src/base/json.ts";
import type { Message } from "../../e2e/harness/wire.ts";

export class Account {
  readonly #limitBytes: number;
  /** By id: how many sound requests had it, and how many lines at all. */
  readonly #asked = new Map<string, { requests: number; lines: number }>();
  readonly #answered = new Map<string, number>();
  /** Lines that are no JSON, and the errors that say so. */
  notJson = 0;
  parseErrors = 0;

  /** @param limitBytes longer lines are not read */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Notes bytes that end with a newline. */
  sent(bytes: Buffer): void {
    for (const line of bytes.toString("utf8").split("\n")) {
      if (line.trim() !== "" && Buffer.byteLength(line) <= this.#limitBytes) this.#line(line);
    }
  }

  answer({ id, error }: Message): void {
    if (id === null) {
      if (error?.code === -32700) this.parseErrors += 1;
      return;
    }
    const key = JSON.stringify(id);
    this.#answered.set(key, (this.#answered.get(key) ?? 0) + 1);
  }

  /** Ids of requests that wait for an answer. */
  unanswered(): string[] {
    return [...this.#asked].flatMap(([key, { requests }]) =>
      (this.#answered.get(key) ?? 0) < requests ? [key] : [],
    );
  }

  /** What was answered more often than asked, or under an id that nobody used. */
  faults(): string[] {
    return [...this.#answered].flatMap(([key, answers]) => {
      const lines = this.#asked.get(key)?.lines ?? 0;
      return answers > lines ? [`${answers} answers for ${lines} messages with the id ${key}`] : [];
    });
  }

  get requests(): number {
    return [...this.#asked.values()].reduce((sum, { requests }) => sum + requests, 0);
  }

  #line(line: string): void {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      this.notJson += 1;
      return;
    }
    if (!isRecord(value)) return;
    const { id, method, params, jsonrpc } = value;
    if (typeof id !== "string" && !Number.isFinite(id)) return;
    const key = JSON.stringify(id);
    const asked = this.#asked.get(key) ?? { requests: 0, lines: 0 };
    const hasParams = params === undefined || typeof params === "object";
    if (jsonrpc === "2.0" && typeof method === "string" && hasParams) asked.requests += 1;
    asked.lines += 1;
    this.#asked.set(key, asked);
  }
}
