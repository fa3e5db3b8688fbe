import assert from "node:assert/strict";
import * as fc from "fast-check";
import { newSessionId, type SessionId } from "../../src/base/ids.ts";
import type { Lease, LeaseState, Lineage, NewEntry, SessionRecord, Store } from "../../src/store/contract.ts";
import type { Capability } from "./check.ts";
import { PlainStore, type Outcome } from "./plain-model.ts";
import { aHolder, anEntry, aRequest, aSession, entriesOf, listAll, noon } from "./samples.ts";

const slot = fc.nat({ max: 2 });
const few = fc.nat({ max: 4 });
/** Counts back from the newest lease: mostly the one that holds, sometimes a fenced one. */
const back = fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, { arbitrary: fc.nat({ max: 2 }), weight: 1 });
/** How far off the true place a write believes itself: mostly not at all. */
const off = fc.oneof({ arbitrary: fc.constant(0), weight: 8 }, fc.integer({ min: -2, max: 2 }));
const filters = ["all", "cwd", "parent", "time", "metadata"] as const;
const op = <K extends string>(kind: K) => ({ op: fc.constant(kind), slot });

const often = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });

const operation = fc.oneof(
  often(3, fc.record({ ...op("create"), at: few })),
  often(2, fc.record({ ...op("fork"), of: slot, short: fc.integer({ min: -1, max: 3 }) })),
  often(2, fc.record({ ...op("delete") })),
  often(5, fc.record({ ...op("append"), count: few, off, back, turnRunning: fc.boolean() })),
  often(4, fc.record({ ...op("seal"), count: few, replace: few, off, back })),
  often(2, fc.record({ ...op("update"), at: few, title: fc.constantFrom("a", null, undefined) })),
  often(4, fc.record({ ...op("acquire"), holder: fc.constantFrom("a", "b"), mayTake: fc.boolean() })),
  often(2, fc.record({ ...op("renew"), back, turnRunning: fc.boolean() })),
  often(1, fc.record({ ...op("release"), back })),
  often(2, fc.record({ ...op("list"), by: fc.constantFrom(...filters), limit: few })),
  often(2, fc.record({ ...op("read"), from: few, count: few })),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

const codeOf = async (doing: Promise<unknown>): Promise<Outcome> =>
  doing.then(
    (value) => ({ value }),
    (error: unknown) => {
      const { code } = error as { code?: unknown };
      if (typeof code !== "string") throw error;
      return { code };
    },
  );

/** A record without what a clock or the store alone decides. */
function comparable(record: SessionRecord | undefined): unknown {
  if (record === undefined) return undefined;
  const { lease, ...facts } = record;
  return lease === undefined ? facts : { ...facts, lease: held(lease) };
}

const held = (lease: LeaseState | undefined): unknown =>
  lease && { holder: lease.holder, turnRunning: lease.turnRunning };

/** Plays one history on the store and on the model, and finds every outcome the same. */
class History {
  readonly #store: Store;
  readonly #plain = new PlainStore();
  readonly #ids: SessionId[] = [0, 1, 2].map(() => newSessionId());
  readonly #leases = new Map<SessionId, Lease[]>();
  /** Where the last successful write left each journal. */
  readonly #heads = new Map<SessionId, number>();
  #written = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  async play(operations: readonly Operation[]): Promise<void> {
    for (const each of operations) {
      const outcomes = await this.#perform(each);
      if (outcomes !== undefined) assert.deepEqual(outcomes[0], outcomes[1], each.op);
    }
    for (const id of new Set([...this.#ids, ...this.#heads.keys()])) {
      assert.deepEqual({ value: comparable(await this.#store.get(id)) }, this.#plain.get(id));
      const found = await codeOf(entriesOf(this.#store, id));
      assert.deepEqual(found, this.#plain.read(id, 1, Infinity));
    }
    const ids = (await listAll(this.#store, { limit: 2 })).map(({ id }) => id);
    assert.deepEqual({ value: ids }, this.#plain.list({}));
  }

  /** The store's outcome and the model's; none where there is no lease to do it with. */
  async #perform(each: Operation): Promise<[Outcome, Outcome] | undefined> {
    const id = this.#ids[each.slot] as SessionId;
    switch (each.op) {
      case "create":
      case "fork":
        return this.#create(each);
      case "delete":
        return [await codeOf(this.#store.delete(id)), this.#plain.delete(id)];
      case "update": {
        const metadata = { at: each.at };
        const { title, at } = each;
        const patch = { updatedAtMs: noon + at, metadata, ...(title !== undefined && { title }) };
        const updating = this.#store.update(id, patch).then(comparable);
        return [await codeOf(updating), this.#plain.update(id, patch)];
      }
      case "acquire":
        return this.#acquire(id, each.holder, each.mayTake);
      case "list":
        return this.#list(id, each);
      case "read": {
        const { from, count } = each;
        const reading = entriesOf(this.#store, id, { from, through: from + count });
        return [await codeOf(reading), this.#plain.read(id, from, from + count)];
      }
      default:
        return this.#write(id, each);
    }
  }

  async #create(each: Extract<Operation, { op: "create" | "fork" }>): Promise<[Outcome, Outcome]> {
    const old = this.#ids[each.slot] as SessionId;
    // A deleted id is not used again; a living one is tried, and refused.
    const id = (await this.#store.get(old)) === undefined ? newSessionId() : old;
    const at = each.op === "create" ? each.at : 0;
    const lineage = each.op === "fork" ? await this.#lineage(each.of, each.short) : undefined;
    const facts = { id, updatedAtMs: noon + at, cwd: at % 2 ? "/odd" : "/even", metadata: { at } };
    const given = aSession(lineage === undefined ? facts : { ...facts, lineage });
    const created = await codeOf(this.#store.create(given).then(comparable));
    if ("value" in created) {
      this.#ids[each.slot] = id;
      this.#heads.set(id, given.lineage?.atSeq ?? 0);
    }
    return [created, this.#plain.create(given)];
  }

  /** Forks so many entries short of what is final in the parent; a negative number is beyond it. */
  async #lineage(of: number, short: number): Promise<Lineage> {
    const parentId = this.#ids[of] as SessionId;
    const sealed = (await this.#store.get(parentId))?.sealedSeq ?? 0;
    return { parentId, atSeq: Math.max(sealed - short, 0) };
  }

  async #acquire(id: SessionId, name: string, mayTake: boolean): Promise<[Outcome, Outcome]> {
    const leases = this.#leases.get(id) ?? [];
    this.#leases.set(id, leases);
    const holder = aHolder(name);
    const acquiring = this.#store.acquire(id, aRequest({ holder, mayTake: () => mayTake }));
    const expected = this.#plain.acquire(id, holder, mayTake, leases.length);
    const acquired = acquiring.then(({ lease, previous }) => {
      leases.push(lease);
      return held(previous);
    });
    return [await codeOf(acquired), expected];
  }

  async #list(id: SessionId, each: Extract<Operation, { op: "list" }>): Promise<[Outcome, Outcome]> {
    const asked = {
      all: {},
      cwd: { cwd: "/odd" },
      parent: { parentId: id },
      time: { updatedBeforeMs: noon + each.limit },
      metadata: { metadata: { at: each.limit } },
    };
    const filter = asked[each.by];
    const ids = (await listAll(this.#store, { ...filter, limit: each.limit + 1 })).map((item) => item.id);
    assert.equal(await this.#store.count(filter), ids.length);
    return [{ value: ids }, this.#plain.list(filter)];
  }

  async #write(
    id: SessionId,
    each: Extract<Operation, { op: "append" | "seal" | "renew" | "release" }>,
  ): Promise<[Outcome, Outcome] | undefined> {
    const leases = this.#leases.get(id) ?? [];
    const ordinal = leases.length - 1 - each.back;
    const lease = leases[ordinal];
    if (lease === undefined) return undefined;
    const head = this.#heads.get(id) ?? 0;
    switch (each.op) {
      case "append": {
        const { turnRunning } = each;
        const [after, entries] = [head + each.off, this.#entries(each.count)];
        const expected = this.#plain.append(id, after, entries, ordinal, turnRunning);
        return [
          await this.#moveHead(id, this.#store.append(id, after, entries, { ...lease, turnRunning })),
          expected,
        ];
      }
      case "seal": {
        const [from, entries] = [head + 1 - each.replace, this.#entries(each.count)];
        const range = { from, head: head + each.off };
        const expected = this.#plain.seal(id, from, range.head, entries, ordinal);
        return [
          await this.#moveHead(id, this.#store.seal(id, range, entries, { ...lease, turnRunning: false })),
          expected,
        ];
      }
      case "renew": {
        const { turnRunning } = each;
        const renewing = this.#store.renew({ ...lease, turnRunning }).then(held);
        return [await codeOf(renewing), this.#plain.renew(id, lease.holder, turnRunning, ordinal)];
      }
      case "release":
        return [await codeOf(this.#store.release(lease)), this.#plain.release(id, ordinal)];
    }
  }

  async #moveHead(id: SessionId, writing: Promise<number>): Promise<Outcome> {
    const outcome = await codeOf(writing);
    if ("value" in outcome) this.#heads.set(id, outcome.value as number);
    return outcome;
  }

  #entries(count: number): NewEntry[] {
    return Array.from({ length: count }, () => {
      this.#written += 1;
      return anEntry(`${this.#written}`, { atMs: noon + (this.#written % 7) });
    });
  }
}

export const model: Capability = {
  name: "random histories",
  checks: [
    {
      title: "end, step by step, as they do on a plain model",
      run: async (_store, { subject }) => {
        const histories = fc.asyncProperty(
          fc.array(operation, { minLength: 20, maxLength: 100, size: "max" }),
          async (ops) => {
            const store = await subject.open();
            try {
              await new History(store).play(ops);
            } finally {
              await store.close();
              await subject.dispose?.();
            }
          },
        );
        await fc.assert(histories, { numRuns: subject.modelRuns ?? 30, endOnFailure: false });
      },
    },
  ],
};
