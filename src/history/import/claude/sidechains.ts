/** Subagents of Claude Code: in files of their own beside the session's, in older versions between its records. */
import { derivedId, type SessionId } from "../../../base/ids.ts";
import { isRecord } from "../../../base/json.ts";
import { recordIn, textIn, type Fields } from "../records.ts";
import { timeOf, titleFrom, type Scribe } from "../scribe.ts";
import { Speech, type Beside } from "./speech.ts";
import { blockOf } from "./tools.ts";

export class Sidechains {
  readonly #sessionId: string;
  readonly #scribe: Scribe;
  readonly #beside: Beside;
  /** By record between those of the session: the first one of its chain. */
  readonly #rootOf = new Map<string, string>();
  readonly #open = new Map<string, Subagent>();

  constructor(sessionId: string, scribe: Scribe, beside: Beside) {
    this.#sessionId = sessionId;
    this.#scribe = scribe;
    this.#beside = beside;
  }

  /** A record between those of the session. */
  take(fields: Fields): void {
    const uuid = textIn(fields, "uuid");
    if (uuid === undefined) return;
    const parent = textIn(fields, "parentUuid");
    const root = (parent === undefined ? undefined : this.#rootOf.get(parent)) ?? uuid;
    this.#rootOf.set(uuid, root);
    const agent = this.#open.get(root) ?? this.begin(root);
    this.#open.set(root, agent);
    agent.take(fields);
  }

  begin(agentId: string): Subagent {
    const child = derivedId("claude", this.#sessionId, agentId);
    return new Subagent(agentId, child, this.#scribe, this.#beside);
  }
}

/** One subagent, as the child of the session. */
export class Subagent {
  readonly #agentId: string;
  readonly #child: SessionId;
  readonly #scribe: Scribe;
  readonly #speech: Speech;
  #isAnnounced = false;

  constructor(agentId: string, child: SessionId, scribe: Scribe, beside: Beside) {
    this.#agentId = agentId;
    this.#child = child;
    this.#scribe = scribe;
    this.#speech = new Speech(scribe, beside, child);
  }

  take(fields: Fields): void {
    const type = textIn(fields, "type");
    if (type === "assistant") {
      this.#announce(fields, undefined);
      this.#speech.answer(fields);
    } else if (type === "user" && !this.#speech.results(fields) && fields["isMeta"] !== true)
      this.#asked(fields);
  }

  /** What it was asked to do. */
  #asked(fields: Fields): void {
    const content = (recordIn(fields, "message") ?? {})["content"];
    const blocks = (Array.isArray(content) ? content : [content]).flatMap((block) => blockOf(block) ?? []);
    const [first] = blocks;
    this.#announce(fields, isRecord(first) ? textIn(first, "text") : undefined);
    const origin = { kind: "sidechain user", id: textIn(fields, "uuid") };
    const at = timeOf(fields["timestamp"]);
    for (const block of blocks)
      this.#scribe.message(at, "user_message_chunk", block, origin, {
        messageId: origin.id,
        child: this.#child,
      });
  }

  #announce(fields: Fields, task: string | undefined): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    const title = titleFrom(task ?? "") ?? textIn(fields, "slug") ?? "subagent";
    this.#scribe.subagent(
      timeOf(fields["timestamp"]),
      this.#child,
      { title, state: { state: "idle" } },
      {
        kind: "sidechain",
        id: this.#agentId,
      },
    );
  }
}
