/**
 * Terminals that a client made for an agent. Another client knows nothing of them, so it is shown their output as
 * text: the answers to `terminal/output` are in the journal.
 */
import { meaningOf } from "../acp/entries.ts";
import { isRecord } from "../base/json.ts";
import type { NewEntry } from "../store/contract.ts";

interface Output {
  readonly output: string;
  readonly truncated: boolean;
  readonly exit: string;
}

export class Terminals {
  readonly #made = new Set<string>();
  /** Which terminal a request is about, by the request's id. */
  readonly #asked = new Map<string, string>();
  /** The last of each, of the turn. */
  readonly #outputs = new Map<string, Output>();

  /** Takes note of what an entry tells of terminals. */
  learn(entry: NewEntry): void {
    if (entry.kind === "end") this.#asked.clear();
    if ((entry.kind !== "request" && entry.kind !== "response") || !entry.data.includes('"terminal/')) return;
    const meaning = meaningOf(entry);
    if (meaning.type === "request" && isRecord(meaning.params)) {
      const { terminalId } = meaning.params;
      if (typeof terminalId === "string") this.#asked.set(JSON.stringify(meaning.id), terminalId);
    } else if (meaning.type === "response" && isRecord(meaning.result)) {
      this.#learnAnswer(meaning.method, JSON.stringify(meaning.id), meaning.result);
    }
  }

  /** Whether a client has made any. */
  get areMade(): boolean {
    return this.#made.size > 0;
  }

  isMade(terminalId: string): boolean {
    return this.#made.has(terminalId);
  }

  /** What a turn's terminals have said is forgotten with it. */
  endTurn(): void {
    this.#outputs.clear();
  }

  /** As Markdown, which is what clients show of a tool's text. */
  textOf(terminalId: string): string {
    const found = this.#outputs.get(terminalId);
    if (found === undefined) return "(The terminal's output was not recorded.)";
    const { output, truncated, exit } = found;
    let fence = "```";
    for (const [run] of output.matchAll(/`+/g)) if (run.length >= fence.length) fence = `${run}\``;
    const notes = [truncated ? "Its beginning was left out." : "", exit].filter((note) => note !== "");
    return [`${fence}\n${output.replace(/\n$/, "")}\n${fence}`, ...notes].join("\n\n");
  }

  #learnAnswer(method: string, request: string, result: Readonly<Record<string, unknown>>): void {
    const { terminalId, output, truncated, exitStatus } = result;
    if (method === "terminal/create" && typeof terminalId === "string") this.#made.add(terminalId);
    const asked = this.#asked.get(request);
    if (asked === undefined) return;
    if (method === "terminal/output" && typeof output === "string")
      this.#outputs.set(asked, { output, truncated: truncated === true, exit: exitIn(exitStatus) });
    const before = this.#outputs.get(asked);
    if (method === "terminal/wait_for_exit" && before !== undefined)
      this.#outputs.set(asked, { ...before, exit: exitIn(result) });
  }
}

/** Nothing is said of success. */
export function exitIn(status: unknown): string {
  if (!isRecord(status)) return "";
  const { exitCode, signal } = status;
  if (typeof signal === "string") return `Ended by ${signal}.`;
  return typeof exitCode === "number" && exitCode !== 0 ? `Exit code ${exitCode}.` : "";
}
