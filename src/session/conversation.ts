/**
 * A session as a conversation for people: what was said, thought and done, in order. Read page by page; of a long message
 * no more than one entry is held.
 */
import { meaningOf, type Meaning, type TurnEnd } from "../acp/entries.ts";
import { isRecord, textOr, type Json } from "../base/json.ts";
import type { SessionId } from "../base/ids.ts";
import type { Entry, EntryRange, SessionRecord, Store } from "../store/contract.ts";
import { Echo } from "./echo.ts";
import { foldEntries } from "./fold.ts";
import { textOf } from "../acp/content.ts";
import { collect, pagesBackwards } from "./pages.ts";

export type Speaker = "user" | "assistant" | "system" | "thought";

/** One thing that happened. `seq` is where it stands. */
export type Happening = { readonly atMs: number; readonly seq: number } & (
  | {
      readonly type: "said";
      readonly by: Speaker;
      readonly text: string;
      /** It goes on with what was said last. */
      readonly goesOn: boolean;
    }
  | {
      readonly type: "call";
      readonly title: string;
      /** ACP's word; undefined where the agent has said none yet. */
      readonly status: string | undefined;
      /** Files that were changed. */
      readonly changed: readonly string[];
      /** What it said. */
      readonly output: string;
      /** Of a call that was shown before. */
      readonly isNews: boolean;
    }
  | { readonly type: "plan"; readonly steps: readonly { readonly text: string; readonly status: string }[] }
  | { readonly type: "set"; readonly what: string; readonly value: string }
  | { readonly type: "end"; readonly end: TurnEnd }
);

type Said = { readonly by: Speaker; readonly id: string | null | undefined };
type Place = Pick<Entry, "atMs" | "seq">;

/** Errors: `STORE_…`, `SESSION_NOT_FOUND`. */
export async function* conversationOf(
  store: Pick<Store, "read">,
  { id, sealedSeq, headSeq }: Pick<SessionRecord, "id" | "sealedSeq" | "headSeq">,
  { from = 1, through = headSeq }: EntryRange = {},
): AsyncGenerator<Happening> {
  const teller = new Teller();
  const final = Math.min(sealedSeq, through);
  if (final >= from)
    for await (const page of store.read(id, { from, through: final }))
      for (const entry of page) yield* teller.told(entry);
  const first = Math.max(from, sealedSeq + 1);
  if (first > Math.min(headSeq, through)) return;
  // Of a turn that runs: as much as the journal lets stand unfolded.
  const running = await collect(store.read(id, { from: first, through: Math.min(headSeq, through) }));
  for (const [at, entry] of foldEntries(running).entries()) yield* teller.told({ ...entry, seq: first + at });
}

/** Where the last `turns` turns of a session begin. */
export async function startOfLast(
  store: Pick<Store, "read">,
  { id, headSeq }: { readonly id: SessionId; readonly headSeq: number },
  turns: number,
): Promise<number> {
  let found = 0;
  for await (const page of pagesBackwards(store, id, headSeq)) {
    for (const entry of page.toReversed()) {
      if (!beginsTurn(entry)) continue;
      found += 1;
      if (found === turns) return entry.seq;
    }
  }
  return 1;
}

function beginsTurn(entry: Entry): boolean {
  if (entry.kind !== "message") return entry.kind === "prompt";
  const meaning = meaningOf(entry);
  return meaning.type === "message" && meaning.role === "user";
}

class Teller {
  #echo: Echo | undefined;
  #last: Said | undefined;
  /** Titles of the calls of this turn. */
  readonly #calls = new Map<string, string>();

  *told(entry: Entry): Generator<Happening> {
    const { atMs, seq } = entry;
    const place = { atMs, seq };
    const meaning = meaningOf(entry);
    switch (meaning.type) {
      case "prompt":
        this.#echo = new Echo(meaning.content);
        this.#calls.clear();
        yield this.#said("user", undefined, meaning.content, place);
        return;
      case "message":
        yield this.#said(meaning.role, undefined, meaning.content, place);
        return;
      case "chunk": {
        const { role, content, messageId = null } = meaning;
        if (role === "user" && this.#echo?.hears(content) === true) return;
        yield this.#said(role, messageId, [content], place);
        return;
      }
      case "state":
      case "child":
      case "unknown":
      case "request":
      case "response":
      case "compaction":
        return;
      default:
        yield* this.#other(meaning, place);
    }
  }

  #said(by: Speaker, id: Said["id"], content: readonly Json[], place: Place): Happening {
    const goesOn = id !== undefined && this.#last?.by === by && this.#last.id === id;
    this.#last = { by, id };
    return { type: "said", by, text: textOf({ content }), goesOn, ...place };
  }

  *#other(
    meaning: Meaning & { readonly type: "toolCall" | "plan" | "setting" | "end" },
    place: Place,
  ): Generator<Happening> {
    this.#last = undefined;
    if (meaning.type === "toolCall") yield this.#call(meaning, place);
    else if (meaning.type === "end") {
      this.#echo = undefined;
      yield { type: "end", end: meaning.end, ...place };
    } else if (meaning.type === "plan") {
      const steps = stepsIn(meaning.data.update);
      if (steps.length > 0) yield { type: "plan", steps, ...place };
    } else {
      const { method, params } = meaning;
      const value = params.modeId ?? params.value ?? params.title;
      const what = textOr(params.configId, "") || method.replace(/^session\/set_/, "").replaceAll("_", " ");
      yield {
        type: "set",
        what,
        value: typeof value === "boolean" ? String(value) : textOr(value, ""),
        ...place,
      };
    }
  }

  #call({ toolCallId, data }: Meaning & { readonly type: "toolCall" }, place: Place): Happening {
    const { title, status, content } = data.update;
    const known = this.#calls.get(toolCallId);
    const shown = textOr(title, known ?? toolCallId);
    this.#calls.set(toolCallId, shown);
    const items: readonly unknown[] = Array.isArray(content) ? content : [];
    return {
      type: "call",
      title: shown,
      status: typeof status === "string" ? status : undefined,
      changed: items.flatMap((item) =>
        isRecord(item) && item.type === "diff" && typeof item.path === "string" ? [item.path] : [],
      ),
      output: items
        .flatMap((item) => (isRecord(item) && item.type === "content" ? [item.content as Json] : []))
        .map((block) => textOf({ content: [block] }))
        .join("\n"),
      isNews: known !== undefined,
      ...place,
    };
  }
}

function stepsIn(update: Readonly<Record<string, unknown>>): { text: string; status: string }[] {
  const plan = isRecord(update.plan) ? update.plan : update;
  const entries: readonly unknown[] = Array.isArray(plan.entries) ? plan.entries : [];
  return entries.flatMap((entry) =>
    isRecord(entry) ? [{ text: textOr(entry.content, ""), status: textOr(entry.status, "pending") }] : [],
  );
}
