/**
 * Replaying a session for `session/load`: its entries as the params of session updates, as they make sense to the
 * client that asks. Reads page by page and holds no more than one page, however long the history.
 */
import { childIn } from "../acp/child-mark.ts";
import { meaningOf } from "../acp/entries.ts";
import { beginsCall, updateKindOf, updateKinds } from "../acp/kinds.ts";
import type { SessionId } from "../base/ids.ts";
import type { Entry, Store } from "../store/contract.ts";
import { Echo } from "./echo.ts";
import { foldEntries } from "./fold.ts";
import { Nearest } from "./nearest.ts";
import { collect } from "./pages.ts";
import type { ReplayedState, ReplayOptions, ReplayRange } from "./replay-options.ts";
import { patched } from "./session-info.ts";
import { addBlocks, chunkText, idOf, plainPromptIn, showMessage } from "./shown-words.ts";
import { countingIn } from "./stretches.ts";
import { Subagents, type Shown } from "./subagents.ts";
import { withoutLastHeard } from "../acp/last-heard.ts";
import { Terminals } from "./terminals.ts";
import { mayShowTerminal, reasonOfEnd, terminalsIn, ToolCalls } from "./tool-calls.ts";

/**
 * Yields JSON texts of update params without the session id, page by page: messages, tool calls and plans
 * in order. What is state is gathered in `state` instead, each kind once with its last value.
 */
export async function* replay(
  store: Pick<Store, "read">,
  id: SessionId,
  range: ReplayRange,
  state: ReplayedState,
  options: ReplayOptions = {},
): AsyncGenerator<string[]> {
  const { sealedSeq, headSeq, fromSeq = 1 } = range;
  const { superseded = [] } = options;
  let until = headSeq;
  const view = new View(state, options, (from) => store.read(id, { from, through: until }));
  for (const { from, through } of countingIn(superseded, { from: fromSeq, through: sealedSeq })) {
    const left = view.cut();
    if (left.length > 0) yield left;
    until = through === sealedSeq ? headSeq : through;
    for await (const page of store.read(id, { from, through })) yield await view.show(page);
  }
  if (headSeq > sealedSeq) {
    const running = await collect(store.read(id, { from: sealedSeq + 1, through: headSeq }));
    const folded = foldEntries(running, view.compactions, sealedSeq === 0 ? "none" : "any");
    yield await view.show(folded.map((entry, at) => ({ ...entry, seq: sealedSeq + 1 + at })));
  }
  const rest = view.finish();
  if (rest.length > 0) yield rest;
}

type ReadFrom = (seq: number) => AsyncIterable<readonly Entry[]>;

/** What of the entries is shown, in their order; it remembers what a turn has begun. */
export class View {
  /** Ids of those that have been shown. */
  readonly compactions = new Set<string>();
  readonly #state: ReplayedState;
  readonly #options: ReplayOptions;
  readonly #readFrom: ReadFrom;
  readonly #terminals = new Terminals();
  readonly #toolCalls = new ToolCalls(this.#terminals);
  readonly #subagents: Subagents;
  readonly #nearest: Nearest;
  #echo: Echo | undefined;
  /** Of the turn; read when the agent says something in the user's name. */
  #promptToHear: Entry | undefined;
  /** Shown are things that the fork has from its parent, or may have: what they have not ended they never will. */
  #isInherited: boolean;
  /** Up to here it is known what the turn's terminals said. */
  #lookedThrough = 0;

  constructor(state: ReplayedState, options: ReplayOptions, readFrom: ReadFrom) {
    this.#state = state;
    this.#options = options;
    this.#readFrom = readFrom;
    this.#isInherited = options.inherited !== undefined;
    this.#nearest = new Nearest(options.capabilities);
    this.#subagents = new Subagents(this.#terminals, options.inherited);
  }

  async show(entries: readonly Entry[]): Promise<string[]> {
    const texts: string[] = [];
    for (const entry of entries) {
      if (this.#isInherited && entry.seq > (this.#options.inherited?.throughSeq ?? 0))
        this.#endInherited(texts);
      if (entry.kind !== "update") this.#showOther(entry, texts);
      else if (this.#showUpdate(entry, texts) === "look") {
        await this.#lookAhead(entries, entry.seq);
        this.#showCall(shownOf(entry), texts);
      }
    }
    return texts;
  }

  /** What counts goes on elsewhere: the turn that was shown last does not end. Returns what will never end. */
  cut(): string[] {
    this.#endOfTurn();
    this.#lookedThrough = 0;
    return this.#toolCalls.failAll("This was cut off: the conversation went back to here.");
  }

  /** What has not ended at the end of the journal. */
  finish(): string[] {
    const texts: string[] = [];
    if (this.#options.isAtRest === true)
      this.#endAll("This was cut off: the agent that ran it has ended.", texts);
    else if (this.#isInherited) this.#endInherited(texts);
    return texts;
  }

  /** Whatever the parent was at goes on there and not here. */
  #endInherited(texts: string[]): void {
    this.#isInherited = false;
    this.#endAll("This was cut off: it went on in the session that this one was forked from.", texts);
  }

  #endAll(reason: string, texts: string[]): void {
    for (const text of this.#toolCalls.failAll(reason)) texts.push(text);
    for (const text of this.#subagents.finish(reason)) this.#put(text, texts);
  }

  /** Most are passed on as they are, unparsed. A tool call may need to be known what its terminal will have said. */
  #showUpdate(entry: Entry, texts: string[]): "look" | undefined {
    const shown = shownOf(entry);
    const { data, kind, seq, child } = shown;
    if (child !== undefined && !this.#nearest.takes("subagent_update")) return undefined;
    const { means, role } = updateKinds.get(kind) ?? {};
    if (means === "toolCall") {
      const mayNeedMore = seq > this.#lookedThrough && mayShowTerminal(data);
      if (mayNeedMore && terminalsIn(data).length > 0) return "look";
      this.#showCall(shown, texts);
    } else if (child !== undefined) {
      // Its state is told where it changes, as live: who shows it knows it by its session.
      if (means === "notice") return undefined;
      const near = this.#nearest.takes(kind) ? [data] : this.#nearest.to(data);
      for (const each of near) texts.push(this.#subagents.named({ ...shown, data: each }));
    } else if (means === "chunk") {
      if (role !== "user" || !this.#isEcho(data)) texts.push(data);
    } else if (means === "state") this.#addState(kind, data);
    else if (means === "subagent") this.#put(this.#subagents.named(shown), texts);
    else if (!this.#nearest.takes(kind)) texts.push(...this.#nearest.to(data));
    else if (kind !== "" && means !== "notice") {
      if (means === "compaction") this.#noteCompaction(data);
      texts.push(data);
    }
    return undefined;
  }

  #showCall({ data: stored, kind, seq, child }: Shown, texts: string[]): void {
    const calls = child === undefined ? this.#toolCalls : this.#subagents.callsOf(child);
    const data = calls.show(withoutLastHeard(stored), beginsCall(kind));
    const isPlain = child === undefined && this.#options.inherited === undefined;
    texts.push(isPlain ? data : this.#subagents.named({ data, kind, seq, child }));
  }

  /** Of a subagent. */
  #put(data: string, texts: string[]): void {
    if (this.#nearest.takes("subagent_update")) texts.push(data);
    else if (childIn(data) === undefined) texts.push(...this.#nearest.to(data));
  }

  #showOther(entry: Entry, texts: string[]): void {
    if (entry.seq > this.#lookedThrough) this.#terminals.learn(entry);
    if (entry.kind === "prompt") this.#showPrompt(entry, texts);
    else if (entry.kind === "message") showMessage(entry, texts);
    else if (entry.kind === "setting") this.#addSetting(entry);
    else if (entry.kind === "end") this.#endTurn(entry, texts);
  }

  #showPrompt(entry: Entry, texts: string[]): void {
    const block = plainPromptIn(entry.data);
    if (block !== undefined) {
      this.#promptToHear = entry;
      texts.push(chunkText("user_message_chunk", block, idOf(entry)));
      return;
    }
    const meaning = meaningOf(entry);
    if (meaning.type !== "prompt") return;
    this.#promptToHear = entry;
    const { messageId = idOf(entry) } = meaning;
    addBlocks("user_message_chunk", entry.data, { member: "prompt", messageId }, texts);
  }

  #endTurn(entry: Entry, texts: string[]): void {
    this.#endOfTurn();
    if (!this.#toolCalls.hasOpen) return this.#toolCalls.endTurn();
    const meaning = meaningOf(entry);
    const reason = reasonOfEnd(meaning.type === "end" ? meaning.end : { interrupted: false });
    for (const text of this.#toolCalls.failAll(reason)) texts.push(text);
  }

  #endOfTurn(): void {
    this.#echo = undefined;
    this.#promptToHear = undefined;
    this.#terminals.endTurn();
  }

  #isEcho(data: string): boolean {
    if (this.#promptToHear !== undefined) {
      const prompt = meaningOf(this.#promptToHear);
      this.#echo = prompt.type === "prompt" ? new Echo(prompt.content) : undefined;
      this.#promptToHear = undefined;
    }
    if (this.#echo === undefined) return false;
    const meaning = meaningOf({ kind: "update", data });
    return meaning.type === "chunk" && this.#echo.hears(meaning.content);
  }

  #noteCompaction(data: string): void {
    const meaning = meaningOf({ kind: "update", data });
    if (meaning.type === "compaction") this.compactions.add(meaning.compactionId);
  }

  #addState(kind: string, data: string): void {
    const before = this.#state.get(kind);
    // In the order of their last values.
    this.#state.delete(kind);
    const isPatch = kind === "session_info_update" && before !== undefined;
    this.#state.set(kind, isPatch ? patched(before, data) : data);
  }

  /** A title that the client gave is what the agent would have told. */
  #addSetting(entry: Entry): void {
    const meaning = meaningOf(entry);
    if (meaning.type !== "setting" || meaning.method !== "session/set_title") return;
    const { title } = meaning.params;
    const update = { sessionUpdate: "session_info_update", title };
    if (typeof title === "string") this.#addState(update.sessionUpdate, JSON.stringify({ update }));
  }

  /** Learns what the terminals of this turn say: from the page at hand, and from the store where the turn goes on. */
  async #lookAhead(page: readonly Entry[], seq: number): Promise<void> {
    for (const entry of page) if (entry.seq > seq && this.#learnsLast(entry)) return;
    const next = Math.max(seq, page.at(-1)?.seq ?? 0) + 1;
    for await (const more of this.#readFrom(next)) {
      for (const entry of more) if (this.#learnsLast(entry)) return;
    }
    this.#lookedThrough = Infinity;
  }

  #learnsLast(entry: Entry): boolean {
    this.#lookedThrough = entry.seq;
    if (entry.kind === "end") return true;
    this.#terminals.learn(entry);
    return false;
  }
}

/** An update entry, unwrapped. */
function shownOf({ data: stored, seq }: Entry): Shown {
  const own = childIn(stored);
  const data = own?.data ?? stored;
  return { data, kind: updateKindOf(data), seq, child: own?.child };
}
