/**
 * What the relay does with what sessions know of their files: a snapshot after a turn, and what an agent is told before the
 * next one. It is loaded when it is first needed. Nothing waits for a snapshot, and what fails here fails nothing else.
 */
import path from "node:path";
import { loggedReason } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import { within } from "../base/time.ts";
import type { ContextDiff } from "../context/diff.ts";
import type { Knowing, Note } from "../context/knowing.ts";
import type { SessionContext } from "../context/session-context.ts";
import { contextEntry } from "../session/context-entry.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Holding } from "./live/holding.ts";
import type { LiveSession } from "./live/session.ts";
import { runningTurns } from "./live/turns.ts";

/** When a turn's answer has been out for so long, and nothing was asked since, its snapshot is taken. */
const quietMs = 200;
/** So long a prompt, or a load, waits for what has changed. */
const noteMs = 1_000;
/** After so long a new session's folder is looked at. */
const warmAfterMs = 2_000;

export interface ProjectsParts {
  readonly registry: SessionRegistry;
  readonly log: Logger;
  readonly contextSnapshots?: "on" | "off";
  readonly contextNote?: "off" | "prompt" | "load";
  readonly contextWatch?: "on" | "off";
  readonly warmsFolders?: boolean;
  readonly cacheFolder?: string | undefined;
  readonly holding: Pick<Holding, "noteFailure">;
}

export class Projects {
  readonly #parts: ProjectsParts;
  readonly #knowing = new Map<LiveSession, Knowing>();
  readonly #timers = new Map<LiveSession, NodeJS.Timeout>();
  readonly #warming = new Map<string, NodeJS.Timeout>();
  #isClosed = false;

  constructor(parts: ProjectsParts) {
    this.#parts = parts;
  }

  /** A turn's answer is out. One timer serves all turns of a session: it is wound up anew. */
  noteOver(live: LiveSession): void {
    if (this.#parts.contextSnapshots !== "on" || this.#isClosed || !live.isHeld) return;
    const timer = this.#timers.get(live)?.refresh() ?? setTimeout(() => void this.#take(live), quietMs);
    // It is no reason to stay alive: what was told stands in the journal.
    this.#timers.set(live, timer.unref());
  }

  /** What the agent is to be told before the prompt of a turn that has just begun. Undefined where nothing is, or nobody can tell in time. */
  noteFor(live: LiveSession): Promise<Note | undefined> | undefined {
    if (this.#parts.contextNote !== "prompt" || runningTurns(live).length > 1 || !live.isHeld)
      return undefined;
    const { record, journal } = live;
    const { sealedSeq } = journal;
    const noting = this.#known(live).then((knowing) => knowing.note(record, sealedSeq));
    return within(
      noting.catch((error: unknown) => this.#warn(live.id, error)),
      noteMs,
    );
  }

  /** What has changed since the agent was last at work, for who loads a session; undefined unless that is to be told. */
  async changesOf(id: SessionId): Promise<ContextDiff | "unknown" | undefined> {
    if (this.#parts.contextNote !== "load") return undefined;
    const asking = this.#context().then((context) => context.diff(id));
    const told = await within(
      asking.catch((error: unknown) => this.#warn(id, error)),
      noteMs,
    );
    return told ?? "unknown";
  }

  /** A new session's folder is looked at when nobody waits for that, so that what asks for it later need not. */
  warm(folder: string): void {
    if (this.#parts.warmsFolders !== true || this.#parts.cacheFolder === undefined) return;
    if (!path.isAbsolute(folder) || this.#warming.has(folder) || this.#isClosed) return;
    const timer = setTimeout(() => {
      this.#warming.delete(folder);
      void this.#discover(folder).catch((error: unknown) => this.#warn(undefined, error));
    }, warmAfterMs);
    this.#warming.set(folder, timer.unref());
  }

  /** The session is let go: what it knows stands in its journal. */
  forget(live: LiveSession): void {
    clearTimeout(this.#timers.get(live));
    this.#timers.delete(live);
    this.#knowing.get(live)?.close();
    this.#knowing.delete(live);
  }

  close(): void {
    this.#isClosed = true;
    for (const live of [...this.#knowing.keys()]) this.forget(live);
    for (const timer of [...this.#timers.values(), ...this.#warming.values()]) clearTimeout(timer);
    this.#timers.clear();
    this.#warming.clear();
  }

  async #take(live: LiveSession): Promise<void> {
    try {
      if (runningTurns(live).length > 0 || !isAtRest(live)) return;
      const { record, journal } = live;
      const { sealedSeq } = journal;
      const knowing = await this.#known(live);
      const { data } = await knowing.take(record, sealedSeq);
      if (data !== undefined) await live.outbound(() => this.#keep(live, knowing, sealedSeq, data));
    } catch (error) {
      if (live.noteLoss()) this.#parts.holding.noteFailure(live, error);
      else this.#warn(live.id, error);
    }
  }

  /** Where something has come since, its turn's snapshot has all of it. */
  async #keep(live: LiveSession, knowing: Knowing, sealedSeq: number, data: string): Promise<void> {
    if (this.#isClosed || runningTurns(live).length > 0 || !isAtRest(live)) return;
    const { journal } = live;
    if (journal.sealedSeq !== sealedSeq) return;
    await journal.seal([contextEntry(data)]);
    knowing.noteStored(journal.headSeq, data);
  }

  async #known(live: LiveSession): Promise<Knowing> {
    const { Knowing } = await import("../context/knowing.ts");
    const known = this.#knowing.get(live);
    if (known !== undefined) return known;
    const { FolderWatch } = await import("../context/watch.ts");
    const { registry, contextWatch } = this.#parts;
    // One that is let go meanwhile has nobody to close it.
    const isKept = !this.#isClosed && live.isHeld;
    const watch = contextWatch === "on" && isKept ? new FolderWatch() : undefined;
    const knowing = this.#knowing.get(live) ?? new Knowing(registry, { watch });
    if (isKept) this.#knowing.set(live, knowing);
    return knowing;
  }

  async #context(): Promise<SessionContext> {
    const { SessionContext } = await import("../context/session-context.ts");
    return new SessionContext(this.#parts.registry, { timeMs: noteMs });
  }

  async #discover(folder: string): Promise<void> {
    const { cacheFolder } = this.#parts;
    if (cacheFolder === undefined || this.#isClosed) return;
    const { DiscoveryCache } = await import("../context/discovery-cache.ts");
    await new DiscoveryCache(cacheFolder).of(folder);
  }

  #warn(sessionId: SessionId | undefined, error: unknown): undefined {
    const { log } = this.#parts;
    log.warn({ sessionId, error: loggedReason(error, log) }, "what became of files could not be told");
    return undefined;
  }
}

/** Held, and nothing is to be written or asked first. */
function isAtRest(live: LiveSession): boolean {
  return live.isHeld && live.owedEnd === undefined && !live.journal.writes.isDoubtful;
}
