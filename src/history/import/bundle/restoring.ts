/**
 * A session from a bundle: the same session here, under its id. One that is here already goes on where the bundle has more,
 * and is left alone where both have gone on; so a bundle may go from store to store and back, and nothing is there twice.
 */
import { isSameButCompacted } from "../../../acp/compacted.ts";
import { isSidecarError } from "../../../base/errors.ts";
import type { Journal } from "../../../session/journal.ts";
import type { Entry, Lineage, NewSession, SessionRecord } from "../../../store/contract.ts";
import { withoutParent } from "../../kept-lineage.ts";
import { EntryStream } from "../entry-stream.ts";
import type { NativeSession, Report } from "../native.ts";
import {
  batchesOf,
  beingImported,
  cleared,
  continued,
  inTrash,
  skipped,
  type IntakeOptions,
  type Outcome,
} from "../outcome.ts";

type Bundle = NativeSession & { readonly record: NewSession };

const untold: Report = () => undefined;

export class Restoring {
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Errors: `STORE_…`. */
  async take(bundle: Bundle): Promise<Outcome> {
    const { brought } = this.#options.registry;
    const there = await brought.stored(bundle.record.id);
    if (there === undefined) return this.#bring(bundle);
    const why = brought.whyHidden(there);
    if (why === undefined) return this.#update(bundle, there);
    if (why === "trashed") return skipped(inTrash, there.id);
    if (why !== "importing") return skipped("it is being loaded from its agent");
    return (await cleared(this.#options, [there])) ? this.#bring(bundle) : skipped(beingImported);
  }

  async #bring(bundle: Bundle): Promise<Outcome> {
    const { registry, foreseen, isDryRun = false } = this.#options;
    const { id } = bundle.record;
    const lineage = await this.#lineage(bundle);
    if (isDryRun) {
      foreseen.note(bundle);
      return { what: "imported", entries: await this.#write(bundle, lineage?.atSeq, undefined) };
    }
    let journal: Journal | undefined;
    try {
      ({ journal } = await registry.brought.restore(withoutParent(bundle.record, lineage)));
      const entries = await this.#write(bundle, lineage?.atSeq, journal);
      await registry.brought.reveal(journal, {});
      journal = undefined;
      return { what: "imported", id, entries };
    } catch (error) {
      if (isSidecarError(error, "SESSION_EXISTS")) return skipped(beingImported);
      if (journal !== undefined) await registry.brought.discard(journal).catch(() => undefined);
      throw error;
    }
  }

  /** Where it was forked from, if that is here and is what it was. */
  async #lineage(bundle: Bundle): Promise<Lineage | undefined> {
    const { lineage } = bundle.record;
    const ours = lineage && (await this.#entriesTo(lineage));
    if (ours === undefined || lineage === undefined) return undefined;
    const { same } = await this.#compared(bundle, ours);
    return same >= lineage.atSeq ? lineage : undefined;
  }

  /** What a session has up to a place, or would have by then in a dry run. */
  async #entriesTo({ parentId, atSeq }: Lineage): Promise<AsyncIterable<readonly Entry[]> | undefined> {
    const { registry, foreseen } = this.#options;
    const foretold = foreseen.of({ source: "bundle", nativeId: parentId });
    if (foretold !== undefined) return foretold.entries();
    const parent = await registry.brought.stored(parentId);
    if (parent === undefined || atSeq > parent.sealedSeq) return undefined;
    if (registry.brought.whyHidden(parent) === "importing") return undefined;
    return registry.read(parentId, { through: atSeq });
  }

  /** Returns how many entries are behind the first `left`; they are written, where there is a journal. */
  async #write(bundle: Bundle, left: number | undefined, journal: Journal | undefined): Promise<number> {
    let [skip, written] = [left ?? 0, 0];
    for await (const { entries } of batchesOf(bundle, this.#options)) {
      const more = entries.slice(skip);
      skip = Math.max(0, skip - entries.length);
      if (more.length > 0) await journal?.restore(more);
      written += more.length;
    }
    return written;
  }

  async #update(bundle: Bundle, there: SessionRecord): Promise<Outcome> {
    const { registry, foreseen, isDryRun = false } = this.#options;
    const { id, headSeq } = there;
    const ours = () => registry.read(id, { through: headSeq });
    const { same, isAll } = await this.#compared(bundle, ours());
    if (isAll) {
      await this.#options.onBytes?.(bundle.bytes);
      return { what: "present", id, entries: 0 };
    }
    if (same < headSeq) return skipped("it has gone on here, and there as well", id);
    if (isDryRun) {
      foreseen.note(bundle, { ours, skip: headSeq });
      return { what: "continued", id, entries: await this.#write(bundle, same, undefined) };
    }
    return this.#continue(bundle, there);
  }

  /** What was called otherwise there, set or archived since is so here from now on. */
  #continue(bundle: Bundle, there: SessionRecord): Promise<Outcome> {
    const { brought } = this.#options.registry;
    return continued(brought, there, async ({ journal }) => {
      // The record first: one that is killed behind its last entry lacks nothing, and a rewind counts when its entry is there.
      await brought.overtake(journal, bundle.record);
      const entries = await this.#write(bundle, there.headSeq, journal);
      await journal.settle();
      return entries;
    });
  }

  /** How many entries are the same from the first one on; whether that is all that the bundle has. */
  async #compared(
    bundle: Bundle,
    entries: AsyncIterable<readonly Entry[]>,
  ): Promise<{ readonly same: number; readonly isAll: boolean }> {
    const ours = new EntryStream(entries);
    let same = 0;
    try {
      for await (const { entries } of bundle.read(untold))
        for (const entry of entries) {
          const next = await ours.next();
          if (next === undefined || !isSameButCompacted(next, entry)) return { same, isAll: false };
          same += 1;
        }
      return { same, isAll: true };
    } finally {
      await ours.close();
    }
  }
}
