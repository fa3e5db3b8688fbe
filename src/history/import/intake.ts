/**
 * From the entries of a session that another program has kept to a session here, in any store. Again is a no-op; one that
 * has grown there goes on here, unless it has gone on here itself; one that is not complete is nobody's.
 */
import { isSessionId } from "../../base/ids.ts";
import type { SessionRecord } from "../../store/contract.ts";
import { Continuing } from "./continuing.ts";
import { Foreseen } from "./foreseen.ts";
import { continuationOf, type Grown } from "./growth.ts";
import { keyOf, marked, markIn, type ImportMark } from "./mark.ts";
import { Restoring } from "./bundle/restoring.ts";
import type { NativeSession, Report } from "./native.ts";
import {
  batchesOf,
  beingImported,
  cleared,
  continued,
  inTrash,
  skipped,
  type IntakeOptions,
  type Outcome,
} from "./outcome.ts";
import { sharedWith, type Shared } from "./sharing.ts";
import { Writing } from "./writing.ts";

const untold: Report = () => undefined;

export class Intake {
  readonly #options: IntakeOptions;

  constructor(options: Omit<IntakeOptions, "foreseen">) {
    this.#options = { ...options, foreseen: new Foreseen() };
  }

  /** Errors: `STORE_…`; what is wrong with the session itself is its outcome. */
  async take(native: NativeSession): Promise<Outcome> {
    const { record } = native;
    if (record !== undefined) return new Restoring(this.#options).take({ ...native, record });
    const { brought } = this.#options.registry;
    const key = keyOf(native);
    const known = await brought.knownAs(native.nativeId);
    const mine = known.filter((record) => markIn(record.metadata)?.key === key);
    const isShown = (record: SessionRecord) => brought.whyHidden(record) === undefined;
    const present = mine.filter(isShown);
    const isAsItIs = ({ metadata }: SessionRecord) => markIn(metadata)?.stamp === native.stamp;
    const newest = present.find(isAsItIs) ?? present[0];
    if (newest !== undefined) {
      const left = mine.filter((record) => brought.whyHidden(record) === "importing");
      if (!(await cleared(this.#options, left))) return skipped(beingImported, newest.id);
      return this.#update(native, await this.#inPlace(newest));
    }
    const other = known.find(isShown);
    if (other !== undefined) return skipped("it is a session here already", other.id);
    for (const record of known) {
      const why = brought.whyHidden(record);
      if (why === "trashed") return skipped(inTrash, record.id);
      if (why === "deleted") return skipped("it was deleted here");
      if (why === "adopting") return skipped("it is being loaded from its agent");
    }
    if (!(await cleared(this.#options, mine))) return skipped(beingImported);
    return this.#bring(native);
  }

  async #bring(native: NativeSession, replaces?: SessionRecord["id"]): Promise<Outcome> {
    const { registry, foreseen: told, isDryRun = false } = this.#options;
    const foreseen = await this.#foreseen(native);
    const shared = foreseen === undefined ? await this.#shared(native) : undefined;
    const what = replaces === undefined ? "imported" : "replaced";
    const writing = new Writing(registry, native, { isDryRun, replaces, shared, foreseen });
    try {
      for await (const batch of batchesOf(native, this.#options)) {
        if (!(await writing.add(batch))) return skipped(beingImported);
      }
      const written = await writing.finish();
      if (written === "rival") return skipped(beingImported);
      if (written === "empty") return { what: "empty", entries: 0 };
      if (isDryRun) told.note(native);
      return { what, ...written };
    } catch (error) {
      await writing.undo();
      throw error;
    }
  }

  /** What a fork has from its parent, if that is here. What cannot be read is told when all of it is read. */
  async #shared(native: NativeSession): Promise<Shared | undefined> {
    const { registry } = this.#options;
    if (native.forkOf === undefined) return undefined;
    const key = keyOf({ source: native.source, nativeId: native.forkOf });
    const known = await registry.brought.knownAs(native.forkOf);
    const isParent = (each: SessionRecord) =>
      markIn(each.metadata)?.key === key && registry.brought.whyHidden(each) === undefined;
    const parent = known.find(isParent);
    if (parent === undefined) return undefined;
    const ours = registry.read(parent.id, { through: parent.sealedSeq });
    const shared = await sharedWith(native.read(untold), markIn(parent.metadata)?.tails ?? [], ours);
    return shared && { parent, ...shared };
  }

  /** In a dry run: how many entries it would have from a parent that would be brought in, or go on, before. */
  async #foreseen({ source, forkOf, ...native }: NativeSession): Promise<number | undefined> {
    const parent = forkOf === undefined ? undefined : this.#options.foreseen.of({ source, nativeId: forkOf });
    if (parent === undefined) return undefined;
    return (await sharedWith(native.read(untold), parent.tails, parent.entries()))?.count ?? 0;
  }

  async #update(native: NativeSession, record: SessionRecord): Promise<Outcome> {
    const mark = markIn(record.metadata) as ImportMark;
    const unchanged: Outcome = { what: "present", id: record.id, entries: 0 };
    if (mark.stamp === native.stamp) {
      await this.#options.onBytes?.(native.bytes);
      return unchanged;
    }
    const { registry, isDryRun = false } = this.#options;
    const ours = registry.read(record.id, { from: mark.head, through: record.headSeq });
    const found = await continuationOf(batchesOf(native, this.#options), mark, ours);
    if (found.what === "gone on")
      return skipped("it has gone on here since it was imported, and there as well", record.id);
    if (found.what === "same") {
      if (!isDryRun) await this.#note(record, native, mark);
      return unchanged;
    }
    if (found.what === "grown") {
      if (isDryRun) {
        const entries = () => registry.read(record.id, { through: record.headSeq });
        const tails = found.hasExtraEnd ? [...mark.tails, mark.count] : mark.tails;
        this.#options.foreseen.note(native, { ...found, ours: entries, tails });
        return { what: "continued", id: record.id, entries: found.entries };
      }
      return this.#continue(native, record, found);
    }
    // What came before is not what it was.
    if (record.headSeq !== mark.head)
      return skipped("it was changed there, and has gone on here since it was imported", record.id);
    const outcome = await this.#bring(native, record.id);
    if (!isDryRun && outcome.id !== undefined) await this.#inPlace(await registry.get(outcome.id));
    return outcome;
  }

  /** What it was brought in for is in the trash, also where that import was killed between the two. */
  async #inPlace(record: SessionRecord): Promise<SessionRecord> {
    const { registry, isDryRun = false } = this.#options;
    const { replaces, ...mark } = markIn(record.metadata) as ImportMark;
    if (isDryRun || !isSessionId(replaces)) return record;
    const before = await registry.brought.stored(replaces);
    const isAsItWas = before !== undefined && before.headSeq === markIn(before.metadata)?.head;
    if (isAsItWas) await registry.remove(replaces);
    return registry.update(record.id, ({ metadata, updatedAtMs }) => ({
      updatedAtMs,
      metadata: marked(metadata, mark),
    }));
  }

  /** The original has changed in nothing that matters: the next look is a short one. */
  async #note(record: SessionRecord, native: NativeSession, mark: ImportMark): Promise<void> {
    const { stamp } = native;
    await this.#options.registry.update(record.id, ({ metadata, updatedAtMs }) => ({
      updatedAtMs,
      metadata: marked(metadata, { ...mark, stamp }),
    }));
  }

  async #continue(native: NativeSession, record: SessionRecord, grown: Grown): Promise<Outcome> {
    const { brought } = this.#options.registry;
    return continued(brought, record, ({ journal, record: held }) =>
      new Continuing(native, held, journal, grown).write(batchesOf(native, this.#options)),
    );
  }
}
