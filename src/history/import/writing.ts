/** One session on its way into the store: hidden until it is complete. */
import { isSidecarError } from "../../base/errors.ts";
import { isAbsoluteFolder } from "../../base/folder.ts";
import type { NewEntry, SessionRecord } from "../../store/contract.ts";
import type { Journal } from "../../session/journal.ts";
import type { SessionRegistry } from "../../session/registry.ts";
import { inheritedRewinds } from "../../session/rewinds.ts";
import { keyOf, marked, markIn, markOf, RunningHash } from "./mark.ts";
import { Placing } from "./placing.ts";
import type { Shared } from "./sharing.ts";
import { isTime, type NativeBatch, type NativeFacts, type NativeSession } from "./native.ts";

/** What is written at once: pages of about so much. */
const pageChars = 512 << 10;

interface Manner {
  readonly isDryRun: boolean;
  /** The one that is there, and whose place it takes. */
  readonly replaces?: SessionRecord["id"] | undefined;
  /** What it has from the session that it was forked from. */
  readonly shared?: Shared | undefined;
  /** In a dry run: of how many entries it would have from a session that is not here as it would be by then. */
  readonly foreseen?: number | undefined;
}

export class Writing {
  readonly #registry: SessionRegistry;
  readonly #manner: Manner;
  readonly #native: NativeSession;
  readonly #hash = new RunningHash();
  readonly #placing: Placing;
  #journal: Journal | undefined;
  #facts: NativeFacts | undefined;
  #waiting: NewEntry[] = [];
  #chars = 0;
  /** So many of the next entries are shared. */
  #left: number;
  #tail: readonly NewEntry[] = [];

  constructor(registry: SessionRegistry, native: NativeSession, manner: Manner) {
    this.#registry = registry;
    this.#manner = manner;
    this.#native = native;
    const { shared } = manner;
    this.#left = shared?.count ?? 0;
    this.#placing = new Placing(shared?.tails, shared && inheritedRewinds(shared.parent, shared.atSeq));
  }

  /** False when another process brings the same one in. */
  async add({ entries, facts, tail = [] }: NativeBatch): Promise<boolean> {
    this.#hash.add(entries);
    [this.#facts, this.#tail] = [facts, tail];
    if (this.#manner.isDryRun) return true;
    const own = this.#left === 0 ? entries : entries.slice(this.#left);
    this.#left -= entries.length - own.length;
    for (const entry of own) {
      this.#waiting.push(entry);
      this.#chars += entry.data.length;
    }
    return this.#chars < pageChars || this.#write();
  }

  async #write(): Promise<boolean> {
    if (this.#journal === undefined && !(await this.#begin())) return false;
    const journal = this.#journal as Journal;
    const placed = this.#placing.place(this.#waiting, journal.headSeq);
    if (placed.length > 0) await journal.seal(placed);
    [this.#waiting, this.#chars] = [[], 0];
    return true;
  }

  /** False when somebody else was quicker: of two who see one another both stay away, and the next one takes it. */
  async #begin(): Promise<boolean> {
    const { nativeId, modifiedAtMs } = this.#native;
    const { shared } = this.#manner;
    const { cwd, title, agent, ...times } = this.#facts as NativeFacts;
    const createdAtMs = timeOr(times.createdAtMs, modifiedAtMs);
    const key = keyOf(this.#native);
    const begun = await this.#registry.brought
      .begin({
        cwd: folderFrom(cwd),
        createdAtMs,
        updatedAtMs: createdAtMs,
        agent,
        agentSessionIds: [nativeId],
        ...(shared && {
          lineage: { parentId: shared.parent.id, atSeq: shared.atSeq },
        }),
        ...(title !== undefined && { title }),
        metadata: marked({}, { key, stamp: "", hash: "", count: 0, head: 0, tails: [] }),
      })
      .catch((error: unknown) => {
        // Somebody who saw it before it was held has taken it for what was left behind.
        if (!isSidecarError(error, "SESSION_NOT_FOUND", "SESSION_BUSY")) throw error;
      });
    if (begun === undefined) return false;
    const { journal } = begun;
    this.#journal = journal;
    const rivals = await this.#registry.brought.knownAs(nativeId);
    const isRival = (each: SessionRecord) => {
      if (each.id === journal.id || markIn(each.metadata)?.key !== key) return false;
      const why = this.#registry.brought.whyHidden(each);
      return why === "importing" || (why === undefined && each.id !== this.#manner.replaces);
    };
    if (!rivals.some(isRival)) return true;
    await this.undo();
    return false;
  }

  /** On return it is a session like any other. Without an entry there is none. Of what it shares none is counted. */
  async finish(): Promise<{ id?: SessionRecord["id"]; entries: number } | "empty" | "rival"> {
    const { shared, foreseen, isDryRun, replaces } = this.#manner;
    if (this.#hash.count === 0) return "empty";
    const entries = this.#hash.count - (foreseen ?? shared?.count ?? 0) + this.#tail.length;
    if (isDryRun) return { entries };
    for (const entry of this.#tail) this.#waiting.push(entry);
    if (!(await this.#write())) return "rival";
    const journal = this.#journal as Journal;
    const { title, ...times } = this.#facts as NativeFacts;
    const updatedAtMs = timeOr(times.updatedAtMs, this.#native.modifiedAtMs);
    const { rewinds } = this.#placing;
    const { id } = await this.#registry.brought.reveal(journal, {
      ...(rewinds.length > 0 && { settings: { rewinds } }),
      metadata: marked({}, { ...markOf(this.#native, this.#hash, journal, shared?.tails), replaces }),
      ...(title !== undefined && { title }),
      updatedAtMs,
    });
    this.#journal = undefined;
    return { id, entries };
  }

  /** Nothing of it stays; if the store fails at that, too, it stays hidden, and the next import takes it away. */
  async undo(): Promise<void> {
    const journal = this.#journal;
    this.#journal = undefined;
    if (journal !== undefined) await this.#registry.brought.discard(journal).catch(() => undefined);
  }
}

/** One that cannot be, or is named from somewhere else, is no folder of the session. */
function folderFrom(cwd = "/"): string {
  return isAbsoluteFolder(cwd) && !cwd.includes("\0") ? cwd : "/";
}

function timeOr(time: number | undefined, otherwise: number): number {
  const whole = Math.trunc(time ?? 0);
  if (whole > 0 && isTime(whole)) return whole;
  return isTime(Math.trunc(otherwise)) ? Math.trunc(otherwise) : 0;
}
