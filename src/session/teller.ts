/**
 * Tells what happened, entry by entry: who said what, what was done and how it went, and in which turn. The one decoder
 * of history: conversation, messages, search, export, usage and import stand on it. It holds what is known of the
 * present turn and little else, however long the session, and never what was said.
 */
import { meaningOf, meaningOfUpdate, type Meaning } from "../acp/entries.ts";
import { isRecord, textOr, type Json } from "../base/json.ts";
import { RecentMap } from "../base/recent-map.ts";
import type { Entry } from "../store/contract.ts";
import { Calls } from "./told-calls.ts";
import { Children } from "./told-children.ts";
import { Echo } from "./echo.ts";
import type { Happening, Place, Said } from "./happenings.ts";
import { compacted, planned, setting } from "./told-facts.ts";
import { Permissions } from "./told-permissions.ts";
import { idOf } from "./shown-words.ts";

/** Of subagents, so many at work in one turn are told apart. */
const maxTracks = 1000;

/** What is known of one session's words: of the session itself, or of a subagent's. */
interface Track {
  echo?: Echo | undefined;
  last?: Pick<Said, "by" | "messageId" | "isWhole"> | undefined;
  readonly calls: Calls;
}

export class Teller {
  #turn: number;
  #own: Track = { calls: new Calls() };
  readonly #tracks = new RecentMap<string, Track>(maxTracks);
  readonly #children = new Children();
  readonly #permissions = new Permissions();

  /** @param turn where the first entries belong that are told, if that is not before the first turn */
  constructor(turn = 0) {
    this.#turn = turn;
  }

  /** Entries in their order. Undefined for what tells nothing to people, or is not understood. */
  told(entry: Entry): Happening | undefined {
    const meaning = meaningOf(entry);
    const { seq, atMs } = entry;
    if (meaning.type === "prompt") {
      this.#turn = seq;
      return this.#prompt(meaning, entry);
    }
    const place = { seq, atMs, turn: this.#turn };
    switch (meaning.type) {
      case "child": {
        const own = meaningOfUpdate(meaning.data);
        return this.#update(own, this.#trackOf(meaning.child), { ...place, child: meaning.child });
      }
      case "message":
        return this.#message(meaning, entry);
      case "end":
        this.#own.echo = undefined;
        this.#own.last = undefined;
        return { type: "end", end: meaning.end, ...place };
      case "rewind":
        this.#own.last = undefined;
        return { type: "rewind", toSeq: meaning.toSeq, ...place };
      case "summary":
        this.#own.last = undefined;
        return { ...meaning, ...place };
      case "setting":
        this.#own.last = undefined;
        return setting(meaning, place);
      case "request":
      case "response": {
        const { child } = meaning;
        return this.#permissions.told(meaning, child === undefined ? place : { ...place, child });
      }
      default:
        return this.#update(meaning, this.#own, place);
    }
  }

  #prompt({ content, messageId }: Meaning & { readonly type: "prompt" }, entry: Entry): Happening {
    this.#own = { echo: new Echo(content), calls: new Calls() };
    this.#tracks.clear();
    this.#permissions.clear();
    const place = { seq: entry.seq, atMs: entry.atMs, turn: entry.seq };
    return this.#said(
      this.#own,
      { by: "user", messageId: messageId ?? idOf(entry), isWhole: true },
      content,
      place,
    );
  }

  /** One of the user's that stands outside a turn begins one, for who reads. */
  #message({ role, content }: Meaning & { readonly type: "message" }, entry: Entry): Happening {
    if (role === "user") this.#turn = entry.seq;
    const place = { seq: entry.seq, atMs: entry.atMs, turn: this.#turn };
    return this.#said(this.#own, { by: role, messageId: idOf(entry), isWhole: true }, content, place);
  }

  #trackOf(child: string): Track {
    const track = this.#tracks.get(child) ?? { calls: new Calls() };
    this.#tracks.set(child, track);
    return track;
  }

  #update(meaning: Meaning, track: Track, at: Place): Happening | undefined {
    switch (meaning.type) {
      case "chunk": {
        const { role: by, content, messageId, data } = meaning;
        if (by === "user" && track.echo?.hears(content) === true) return undefined;
        return this.#said(track, { by, messageId, isWhole: false }, [content], within(at, data.update));
      }
      case "toolCall": {
        track.last = undefined;
        const call = track.calls.told(meaning, within(at, meaning.data.update));
        this.#children.note(call);
        return call;
      }
      case "plan":
        track.last = undefined;
        return planned(meaning, at);
      case "compaction":
        track.last = undefined;
        return compacted(meaning, at);
      case "subagent":
        return this.#children.told(meaning, at);
      case "state":
        return { type: "state", kind: meaning.kind, update: meaning.data.update, ...at };
      default:
        return undefined;
    }
  }

  #said(
    track: Track,
    said: Pick<Said, "by" | "messageId" | "isWhole">,
    content: readonly Json[],
    at: Place,
  ): Said {
    const { last } = track;
    const goesOn =
      !said.isWhole && last?.isWhole === false && last.by === said.by && last.messageId === said.messageId;
    track.last = said;
    return { type: "said", ...said, content, goesOn, ...at };
  }
}

/** Claude Agent names the call in which its subagents work, which have no sessions of their own there. */
function within(at: Place, { _meta }: Readonly<Record<string, unknown>>): Place {
  const { claudeCode } = isRecord(_meta) ? _meta : {};
  const parentCallId = isRecord(claudeCode) ? textOr(claudeCode.parentToolUseId, "") : "";
  return parentCallId === "" ? at : { ...at, parentCallId };
}
