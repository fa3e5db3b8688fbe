/** What a record says of a session beside where and when it is: whose it is, what was chosen, what is owed. */
import type { Json } from "../base/json.ts";

/** What the client said of itself in `initialize`. */
export type ClientFacts = Readonly<{ info?: Json; capabilities?: Json }>;

/** What the agent said of itself in `initialize`, and how it is started (no arguments: they may be secret). */
export type AgentFacts = Readonly<{ info?: Json; command?: string }>;

/** Mode, model, and value by config option id. */
export type Chosen = Readonly<{ modeId?: string; modelId?: string; configOptions?: { [id: string]: Json } }>;

/** A rewind entry: where it stands, and the last entry that still counted then. */
export interface Rewind {
  readonly at: number;
  readonly toSeq: number;
}

/** What counts for a session as its client knows it, to be chosen again after an attach; and what is owed. */
export interface SessionSettings extends Chosen {
  readonly owesSettings?: Chosen; // what was chosen and its agent has not taken again
  readonly systemPromptSeq?: number; // where its client's instructions stand in the journal
  readonly ownAgentIds?: number; // how many of `agentSessionIds`, from the end, its agent may go on with (one)
  readonly formerIds?: Readonly<Record<string, AgentFacts>>; // whose the others are
  readonly owesHandoverTo?: string; // the one that lacks the history
  readonly rewinds?: readonly Rewind[]; // a copy for who reads forwards; one counts if its entry is there
}

/** Of the metadata of a session, what becomes of single ones; `null` takes one out. */
export type MetadataChanges = Readonly<Record<string, string | number | boolean | null>>;
