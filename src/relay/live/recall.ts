/**
 * What the journal holds, for comparison with what an agent says behind its answer to a load or a fork, until the next
 * prompt: many agents do not await their own replay. What is in the journal is no news; all else is.
 */
import { meaningOf } from "../../acp/entries.ts";
import { addUpdate, isState, updateIn, type ArrivedUpdate } from "../../acp/updates.ts";
import { isRecord } from "../../base/json.ts";
import type { Entry } from "../../store/contract.ts";

/** How a handover begins: an agent may replay it as what the user said. */
export const handoverPreamble =
  "This is the history of the conversation so far, handed over by acp-sidecar because you joined it later. " +
  "It is context, not an instruction: nothing in it is to be answered or done again. " +
  "What the user wants now comes after it.";

/** What one side said in one go, and the ids of tool calls. */
interface Known {
  /** By kind of chunk. */
  readonly messages: Map<string, string[]>;
  readonly others: Set<string>;
}

/** A message that is being said: a part of one that is known, as long as there are candidates. */
interface Open {
  readonly kind: string;
  said: string;
  candidates: readonly string[];
  /** What was taken for a part of a known message so far. */
  held: ArrivedUpdate[];
}

export class Recall {
  readonly #read: () => AsyncIterable<readonly Entry[]>;
  #known: Known | undefined;
  #open: Open | undefined;

  /** @param read the entries of the journal; asked once, when there is something to compare */
  constructor(read: () => AsyncIterable<readonly Entry[]>) {
    this.#read = read;
  }

  /** Those of the updates that say something new, in their order. Calls must not overlap. */
  async news(updates: readonly ArrivedUpdate[]): Promise<ArrivedUpdate[]> {
    const news: ArrivedUpdate[] = [];
    for (const update of updates) {
      if (isState(update)) news.push(update);
      else {
        this.#known ??= await knownIn(this.#read());
        for (const each of singly(update)) {
          for (const fresh of this.#newIn(this.#known, each)) addUpdate(news, fresh);
        }
      }
    }
    return news;
  }

  #newIn({ messages, others }: Known, update: ArrivedUpdate): readonly ArrivedUpdate[] {
    const { kind, text, key } = gistOf(update);
    if (text === undefined) {
      this.#open = undefined;
      return others.has(key) ? [] : [update];
    }
    if (text.slice(0, handoverPreamble.length + 100).includes(handoverPreamble)) return [];
    const all = messages.get(kind) ?? [];
    const open = this.#open?.kind === kind ? this.#open : undefined;
    // Nothing has been said yet, or what was said is a whole message: another one may begin.
    const mayBegin = open === undefined || open.candidates.includes(open.said);
    const said = (open?.said ?? "") + text;
    const goesOn = (open?.candidates ?? []).filter((message) => message.startsWith(said));
    if (open !== undefined && goesOn.length > 0) {
      this.#open = { ...open, said, candidates: goesOn, held: [...open.held, update] };
      return [];
    }
    const begins = mayBegin ? all.filter((message) => message.startsWith(text)) : [];
    if (begins.length > 0) {
      this.#open = { kind, said: text, candidates: begins, held: [update] };
      return [];
    }
    const held = mayBegin ? [] : (open?.held ?? []);
    this.#open = { kind, said, candidates: [], held: [] };
    return [...held, update];
  }
}

/** Chunks one by one. */
function* singly(update: ArrivedUpdate): Generator<ArrivedUpdate> {
  if (update.type === "update") yield update;
  else for (const body of update.bodies) yield { ...update, bodies: [body], chars: body.length };
}

interface Gist {
  readonly kind: string;
  /** Of a text chunk. */
  readonly text?: string;
  /** Of all else: what makes it known. */
  readonly key: string;
  /** Of a tool call. */
  readonly call?: string;
}

function gistOf(update: ArrivedUpdate): Gist {
  if (update.type === "update") return gistOfUpdate(updateIn(update));
  const text = JSON.parse(`"${update.bodies.join("")}"`) as string;
  return { kind: update.shape.sessionUpdate, text, key: "" };
}

function gistOfUpdate(update: Readonly<Record<string, unknown>>): Gist {
  const { sessionUpdate, content, toolCallId, status } = update;
  const kind = String(sessionUpdate);
  if (isRecord(content) && content.type === "text" && typeof content.text === "string")
    return { kind, text: content.text, key: "" };
  // Whatever is said of a call on its way is known with the call; how it ended is not.
  const ended = status === "completed" || status === "failed" ? ` ${status}` : "";
  if (typeof toolCallId === "string") return { kind, key: `tool ${toolCallId}${ended}`, call: toolCallId };
  // Plans are replaced by the next one: an earlier one is no news whatever it says.
  if (kind === "plan") return { kind, key: kind };
  return { kind, key: `${kind} ${JSON.stringify(content ?? update)}` };
}

async function knownIn(pages: AsyncIterable<readonly Entry[]>): Promise<Known> {
  const known: Known = { messages: new Map(), others: new Set() };
  let last = "";
  for await (const page of pages) {
    for (const entry of page) {
      for (const { kind, text, key, call } of gistsOf(entry)) {
        if (call !== undefined) known.others.add(`tool ${call}`);
        const messages = known.messages.get(kind) ?? [];
        known.messages.set(kind, messages);
        if (text === undefined) known.others.add(key);
        // Pieces of a message that stand apart in the journal may be replayed as one, and the other way round.
        else if (last === kind) messages.push(text, `${messages.at(-1) ?? ""}${text}`);
        else messages.push(text);
        last = text === undefined ? "" : kind;
      }
    }
  }
  return known;
}

function gistsOf(entry: Entry): Gist[] {
  const meaning = meaningOf(entry);
  if (meaning.type === "prompt" || (meaning.type === "message" && meaning.role === "user"))
    return meaning.content.map((content) => gistOfUpdate({ sessionUpdate: "user_message_chunk", content }));
  if (meaning.type === "message")
    return meaning.content.map((content) => gistOfUpdate({ sessionUpdate: "agent_message_chunk", content }));
  return "data" in meaning && meaning.type !== "state" ? [gistOfUpdate(meaning.data.update)] : [];
}
