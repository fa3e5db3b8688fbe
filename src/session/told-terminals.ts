/**
 * What terminals have said, for who reads a conversation: a call that shows one shows its command, its output and how it
 * ended, as far as the journal has them. A client's terminals stand in the answers to `terminal/output`, an agent's own
 * ones in the `_meta` of its calls.
 */
import { childIn } from "../acp/child-mark.ts";
import { meaningOf } from "../acp/entries.ts";
import { isRecord, objectIn, textOr } from "../base/json.ts";
import { jsonTextOf } from "../base/json-text.ts";
import { RecentMap } from "../base/recent-map.ts";
import type { Entry } from "../store/contract.ts";
import { exitIn } from "./terminals.ts";
import { mayShowTerminal, terminalsIn } from "./tool-calls.ts";

type ReadFrom = (seq: number) => AsyncIterable<readonly Entry[]>;
type Fields = Readonly<Record<string, unknown>>;

/** Entries by pages, as they are told to people. @param readFrom of the session, all that stands from an entry on */
export async function* withTerminals(
  pages: AsyncIterable<readonly Entry[]>,
  readFrom: ReadFrom,
): AsyncGenerator<readonly Entry[]> {
  const told = new Telling(readFrom);
  for await (const page of pages) yield await told.page(page);
}

/** A call comes before what its terminal says: the turn is looked through as soon as one shows a terminal. */
class Telling {
  readonly #readFrom: ReadFrom;
  readonly #terminals = new TerminalRecords();
  #lookedThrough = 0;

  constructor(readFrom: ReadFrom) {
    this.#readFrom = readFrom;
  }

  async page(page: readonly Entry[]): Promise<readonly Entry[]> {
    if (!page.some(({ data }) => mayTellOfTerminal(data))) return page;
    const shown: Entry[] = [];
    for (const entry of page) {
      const own = await this.#told(entry, page);
      if (own !== undefined) shown.push(own);
    }
    return shown;
  }

  async #told(entry: Entry, page: readonly Entry[]): Promise<Entry | undefined> {
    const { kind, seq, data } = entry;
    if (seq > this.#lookedThrough) this.#terminals.learn(entry);
    if (kind !== "update" || !mayTellOfTerminal(data)) return entry;
    if (isOnlyOutput(data)) return undefined;
    const ids = mayShowTerminal(data) ? terminalsIn(childIn(data)?.data ?? data) : [];
    if (ids.length === 0) return entry;
    if (seq > this.#lookedThrough) await this.#lookAhead(page, seq);
    return { ...entry, data: withOutputs(data, (id) => this.#terminals.textOf(id)) };
  }

  async #lookAhead(page: readonly Entry[], seq: number): Promise<void> {
    for (const entry of page) if (entry.seq > seq && !this.#learned(entry)) return;
    const last = page.at(-1)?.seq ?? seq;
    for await (const more of this.#readFrom(last + 1))
      for (const entry of more) if (!this.#learned(entry)) return;
  }

  /** False at the end of the turn. */
  #learned(entry: Entry): boolean {
    this.#lookedThrough = entry.seq;
    this.#terminals.learn(entry);
    return entry.kind !== "end" && entry.kind !== "prompt" && entry.kind !== "rewind";
  }
}

interface Known {
  readonly command?: string;
  readonly output?: string;
  readonly isCut?: boolean;
  readonly exit?: string;
}

/** So many terminals are known at once, and so much of what each has said. */
const maxTerminals = 1000;
const maxOutputChars = 1 << 20;

class TerminalRecords {
  readonly #known = new RecentMap<string, Known>(maxTerminals);
  /** What was asked of the client, by the request's id: a command, or the terminal that it is about. */
  readonly #asked = new RecentMap<string, { readonly command?: string; readonly terminalId?: string }>(
    maxTerminals,
  );

  learn(entry: Entry): void {
    const { kind, data } = entry;
    if (kind === "update") this.#learnMeta(data);
    else if ((kind === "request" || kind === "response") && data.includes('"terminal/'))
      this.#learnAnswer(entry);
  }

  /** Undefined where nothing is known of it. */
  textOf(terminalId: string): string | undefined {
    const { command, exit, ...known } = this.#known.get(terminalId) ?? {};
    const { output, isCut } = cut(known.output ?? "", known.isCut);
    const lines = [command === undefined ? "" : `$ ${command}`, isCut ? "[…]" : ""];
    lines.push(output.replace(/\n$/, ""), exit ?? "");
    const text = lines.filter((line) => line !== "").join("\n");
    return text === "" ? undefined : text;
  }

  #learnAnswer(entry: Entry): void {
    const meaning = meaningOf(entry);
    if (meaning.type === "request" && isRecord(meaning.params)) {
      const { terminalId, command, args } = meaning.params;
      const words = [command, ...(Array.isArray(args) ? (args as unknown[]) : [])];
      this.#asked.set(JSON.stringify(meaning.id), {
        ...(typeof terminalId === "string" && { terminalId }),
        ...(typeof command === "string" && { command: words.map((word) => textOr(word, "")).join(" ") }),
      });
    } else if (meaning.type === "response" && isRecord(meaning.result)) {
      const asked = this.#asked.get(JSON.stringify(meaning.id)) ?? {};
      this.#learnResult(meaning.method, asked, meaning.result);
    }
  }

  #learnResult(
    method: string,
    { command, terminalId }: { readonly command?: string; readonly terminalId?: string },
    result: Fields,
  ): void {
    const { output, truncated } = result;
    if (method === "terminal/create" && typeof result.terminalId === "string")
      this.#note(result.terminalId, command === undefined ? {} : { command });
    if (terminalId === undefined) return;
    if (method === "terminal/output" && typeof output === "string")
      this.#note(terminalId, { ...cut(output, truncated === true), exit: exitIn(result.exitStatus) });
    if (method === "terminal/wait_for_exit") this.#note(terminalId, { exit: exitIn(result) });
  }

  /** As Claude Agent and Codex tell of the terminals that they run themselves. */
  #learnMeta(data: string): void {
    if (!data.includes('"terminal_')) return;
    const meta = metaIn(objectIn(data) ?? {});
    for (const name of ["terminal_output", "terminal_output_delta"]) {
      const told = meta[name];
      if (isRecord(told)) this.#add(textOr(told.terminal_id, ""), textOr(told.data, ""));
    }
    const ended = meta["terminal_exit"];
    if (!isRecord(ended)) return;
    const status = { exitCode: ended.exit_code, signal: ended.signal };
    this.#note(textOr(ended.terminal_id, ""), { exit: exitIn(status) });
  }

  #add(terminalId: string, more: string): void {
    const before = this.#known.get(terminalId)?.output ?? "";
    const output = before + more;
    // Not with every piece: what is cut is copied.
    this.#note(terminalId, output.length > 2 * maxOutputChars ? cut(output) : { output });
  }

  #note(terminalId: string, known: Known): void {
    this.#known.set(terminalId, { ...this.#known.get(terminalId), ...known });
  }
}

/** The end of what a terminal has said. */
function cut(output: string, wasCut = false): { readonly output: string; readonly isCut: boolean } {
  const isLong = output.length > maxOutputChars;
  return { output: isLong ? output.slice(-maxOutputChars) : output, isCut: wasCut || isLong };
}

/** Nearly every entry has no such word. A part of it is looked for because that takes a quarter of the time. */
function mayTellOfTerminal(data: string): boolean {
  return data.includes("minal");
}

function metaIn(data: Fields): Fields {
  const { update } = data;
  const meta = isRecord(update) ? update._meta : undefined;
  return isRecord(meta) ? meta : {};
}

const ofNoInterest: ReadonlySet<string> = new Set(["sessionUpdate", "toolCallId", "_meta"]);

/** News of a call that say nothing but what its terminal said, which the call shows. */
function isOnlyOutput(data: string): boolean {
  if (!data.includes('"terminal_output')) return false;
  const { update } = objectIn(data) ?? {};
  if (!isRecord(update) || update.sessionUpdate !== "tool_call_update") return false;
  const names = Object.keys(metaIn({ update }));
  return (
    Object.keys(update).every((name) => ofNoInterest.has(name)) &&
    names.every((name) => name.startsWith("terminal_"))
  );
}

/** With text in the place of each terminal of which something is known. */
function withOutputs(data: string, textOf: (terminalId: string) => string | undefined): string {
  const fields = objectIn(data) ?? {};
  const update = isRecord(fields.update) ? fields.update : {};
  const content = (Array.isArray(update.content) ? (update.content as unknown[]) : []).map((item) => {
    if (!isRecord(item) || item.type !== "terminal") return item;
    const text = textOf(textOr(item.terminalId, ""));
    return text === undefined ? item : { type: "content", content: { type: "text", text } };
  });
  return jsonTextOf({ ...fields, update: { ...update, content } });
}
