/** Looks at what an index proposes: whether it is there, whether it counts, and whether its text is what is looked for. */
import { compactedFrom } from "../../acp/compacted.ts";
import type { SessionId } from "../../base/ids.ts";
import { isSidecarError } from "../../base/errors.ts";
import { isSuperseded, supersededOf } from "../../session/rewinds.ts";
import { isUnreadable } from "../../base/unreadable.ts";
import type { Entry, SessionRecord } from "../../store/contract.ts";
import type { SessionRegistry } from "../../session/registry.ts";
import { findReadable } from "../find-readable.ts";
import { EntryReader, type SearchRole } from "./entry-text.ts";
import { agentNameOf } from "../../session/agent-names.ts";
import { isPlausible, matchesIn } from "./matching.ts";
import type { MessageFilter } from "./match-text.ts";
import type { Query } from "./query.ts";
import { isShown } from "./shown.ts";
import { snippetOf, type SnippetPart } from "./snippet.ts";
import type { Candidate } from "../../store/text-index.ts";

/** A message that was found. */
export interface Hit {
  /** `ID:SEQ`, which every command takes. */
  readonly address: string;
  readonly seq: number;
  readonly role: SearchRole;
  readonly atMs: number;
  /** A line of it, in pieces. */
  readonly snippet: readonly SnippetPart[];
  /** It does not count any more, after a rewind. */
  readonly superseded?: true;
}

/** A session in which something was found. */
export interface FoundSession {
  readonly id: SessionId;
  readonly title?: string;
  readonly cwd: string;
  readonly agent?: string;
  readonly updatedAtMs: number;
  /** The newest first. */
  readonly hits: readonly Hit[];
  /** There are others in this session. */
  readonly isMore: boolean;
}

interface Looking {
  readonly query: Query;
  readonly filter: MessageFilter;
  readonly superseded: boolean;
  readonly archived: boolean;
  /** At most so many of a session. */
  readonly perSession: number;
}

type Sessions = Pick<SessionRegistry, "find" | "read">;

export class Hits {
  /** How much was proposed that is not there, or is another text. */
  stale = 0;
  readonly #registry: Sessions;
  readonly #looking: Looking;

  constructor(registry: Sessions, looking: Looking) {
    this.#registry = registry;
    this.#looking = looking;
  }

  /** @param most hits are wanted at most. Undefined where none is left. Errors: `STORE_…` */
  async in({ id, seqs }: Candidate, most: number): Promise<FoundSession | undefined> {
    const record = await findReadable(this.#registry, id);
    if (record?.id !== id) {
      this.stale += 1;
      return undefined;
    }
    if (!isShown(record, this.#looking)) return undefined;
    const wanted = Math.min(most, this.#looking.perSession);
    const superseded = await supersededOf(this.#registry, record);
    const hits: Hit[] = [];
    let together: Promise<Hit | undefined>[] = [];
    const take = async () => {
      for (const hit of await Promise.all(together)) if (hit !== undefined) hits.push(hit);
      together = [];
    };
    for await (const seq of seqs) {
      const isGone = isSuperseded(superseded, seq);
      if (isGone && !this.#looking.superseded) continue;
      const hit = this.#hit(record, seq, isGone);
      // A failure is told when its turn comes; until then the index may be asked for more.
      hit.catch(() => undefined);
      together.push(hit);
      // One more than is wanted tells whether there are more.
      if (hits.length + together.length <= wanted) continue;
      await take();
      if (hits.length > wanted) return { ...sessionOf(record), hits: hits.slice(0, wanted), isMore: true };
    }
    await take();
    return hits.length === 0 ? undefined : { ...sessionOf(record), hits, isMore: false };
  }

  async #hit({ id, sealedSeq }: SessionRecord, seq: number, isGone: boolean): Promise<Hit | undefined> {
    const entry = seq > sealedSeq ? undefined : await this.#entry(id, seq);
    const found = entry && new EntryReader().read(entry);
    const matches = found === undefined ? undefined : matchesIn(found.text, this.#looking.query);
    if (found === undefined || matches === undefined) {
      // An index that knows what was there before it was compacted is no worse for it.
      const isCompacted = entry !== undefined && compactedFrom(entry) !== undefined;
      const isKnown = found !== undefined && isPlausible(found.text, this.#looking.query);
      if (!isKnown && !isCompacted) this.stale += 1;
      return undefined;
    }
    const { role, atMs, text } = found;
    const { role: wanted = role, sinceMs = -Infinity, untilMs = Infinity } = this.#looking.filter;
    if (role !== wanted || atMs < sinceMs || atMs >= untilMs) return undefined;
    const snippet = snippetOf(text, matches);
    return { address: `${id}:${seq}`, seq, role, atMs, snippet, ...(isGone && { superseded: true }) };
  }

  async #entry(id: SessionId, seq: number): Promise<Entry | undefined> {
    try {
      for await (const page of this.#registry.read(id, { from: seq, through: seq }))
        for (const entry of page) return entry;
    } catch (error) {
      if (!isUnreadable(error) && !isSidecarError(error, "SESSION_NOT_FOUND", "STORE_CONFLICT")) throw error;
    }
    return undefined;
  }
}

function sessionOf(record: SessionRecord): Omit<FoundSession, "hits" | "isMore"> {
  const { id, title, cwd, updatedAtMs } = record;
  const agent = agentNameOf(record);
  return { id, cwd, updatedAtMs, ...(title !== undefined && { title }), ...(agent !== "" && { agent }) };
}
