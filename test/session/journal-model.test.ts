import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withoutLink } from "../../src/acp/chain-link.ts";
import { isSidecarError, SidecarError } from "../../src/base/errors.ts";
import { verifyOne } from "../../src/care/verify.ts";
import { foldEntries, type BegunBefore } from "../../src/session/fold.ts";
import { HeldRoom } from "../../src/session/held.ts";
import { thisHolder } from "../../src/session/holder.ts";
import { Journal } from "../../src/session/journal.ts";
import type { Entry, NewEntry, Store } from "../../src/store/contract.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { anyItem } from "./any-item.ts";
import { checked, checkedForward } from "./chain-rig.ts";
import { chunk, compaction, end, newEntry, piece, tool, type Item } from "./entries.ts";
import { flaky } from "./flaky-store.ts";
import { other, session, stored } from "./journal-rig.ts";

const large = fc.constantFrom<Item>(
  chunk("l".repeat(3 << 20), "l"),
  tool({ rawOutput: "o".repeat(3 << 20) }, "tool_call", "l"),
);
const compacting = fc.constantFrom<Item>(
  piece("a"),
  piece("b"),
  compaction({ status: "in_progress" }),
  compaction({ status: "completed" }),
);
const items = fc.array(
  fc.oneof(
    { weight: 30, arbitrary: anyItem },
    { weight: 10, arbitrary: compacting },
    { weight: 1, arbitrary: large },
  ),
  { maxLength: 5 },
);
const act = fc.record({
  do: fc.constantFrom(
    "append",
    "append",
    "append",
    "turn",
    "seal",
    "last",
    "renew",
    "kill",
    "release",
    "update",
  ),
  items,
  child: fc.constantFrom(
    undefined,
    undefined,
    undefined,
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "01ARZ3NDEKTSV4RRFFQ69G5FAX",
  ),
  fault: fc.constantFrom(
    undefined,
    undefined,
    undefined,
    undefined,
    "before",
    "after",
    "read",
    "get",
    "flush",
  ),
  running: fc.boolean(),
});

/** What a session must hold, and what its journal may not know for sure. */
class Model {
  readonly final: NewEntry[] = [];
  open: NewEntry[] = [];
  #compactions = new Set<string>();
  #begunBefore: BegunBefore = "none";

  /** Somebody takes it who has not seen what was folded before. */
  taken(): void {
    this.#compactions = new Set();
    this.#begunBefore = this.final.length === 0 ? "none" : this.open.length > 0 ? "any" : "pieces";
  }

  seal(added: readonly NewEntry[], last: readonly NewEntry[]): void {
    this.final.push(...this.fold(added), ...last);
    this.open = [];
    if (this.#begunBefore === "any") this.#begunBefore = "pieces";
  }

  fold(added: readonly NewEntry[]): readonly NewEntry[] {
    return foldEntries([...this.open, ...added], this.#compactions, this.#begunBefore);
  }
}

describe.each([
  { name: "a journal", tags: [], factor: 1 },
  { name: "many journals", tags: ["long"], factor: 20 },
])("$name to which anything happens [issue 11.2]", ({ tags, factor }) => {
  it(
    "keeps what folding makes of what was said, and its chain holds",
    { tags, timeout: 600_000 },
    async () => {
      let made = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
          const inner = openMemoryStore();
          let readFails = false;
          const readable: Store = new Proxy(inner, {
            get: (_t, name) => {
              if (name === "read" && readFails)
                return async function* () {
                  readFails = false;
                  throw new SidecarError("STORE_FAILED", "no read");
                };
              const value: unknown = Reflect.get(inner, name, inner);
              return typeof value === "function" ? (value.bind(inner) as unknown) : value;
            },
          });
          const { store, fail, calls } = flaky(readable);
          const id = await session(store);
          const heads = new Map<number, string>();
          const room = new HeldRoom();
          let who = 0;
          const open = () =>
            Journal.open(id, {
              store,
              durability: made++ % 2 === 0 ? "full" : "turn",
              holder: who++ % 2 === 0 ? thisHolder() : other,
              leaseTtlMs: 30_000,
              mayTake: () => true,
              tell: () => undefined,
              headed: ({ seq, sha256 }) => void heads.set(seq, sha256),
              room,
            });
          const model = new Model();
          let { journal } = await open();
          let atMs = 1000;
          /** Until it is taken: a store that fails does so for a moment. */
          const reopen = async () => {
            for (let done = false; !done;) {
              const had = (await inner.get(id))!;
              model.taken();
              try {
                ({ journal } = await open());
                done = true;
              } catch (error) {
                if (!isSidecarError(error, "STORE_FAILED")) throw error;
              }
              const now = (await inner.get(id))!;
              if (now.sealedSeq === had.sealedSeq && now.headSeq === had.headSeq) continue;
              const found = (await stored(inner, id)).at(-1)!;
              const ended = { kind: found.kind, atMs: found.atMs, data: withoutLink(found) };
              model.seal([], had.lease?.turnRunning === true ? [ended] : []);
            }
          };
          for (const each of acts) {
            readFails = each.fault === "read";
            const seals = calls("seal");
            const timed = each.items.map((item) => {
              const entry = newEntry(item, (atMs += 7));
              return each.child === undefined || entry.kind !== "update"
                ? entry
                : { ...entry, data: `{"acp-sidecar.child":"${each.child}",${entry.data.slice(1)}` };
            });
            const before = await inner.get(id);
            const news = () =>
              inner
                .get(id)
                .then((now) => now!.headSeq !== before!.headSeq || now!.sealedSeq !== before!.sealedSeq);
            if (each.fault === "before" || each.fault === "after")
              fail(
                each.do === "append"
                  ? "append"
                  : each.do === "renew"
                    ? "renew"
                    : each.do === "update"
                      ? "update"
                      : each.do === "kill" || each.do === "release"
                        ? "acquire"
                        : "seal",
                each.fault,
              );
            if (each.fault === "get") fail("get", "before");
            if (each.fault === "flush") fail("flush", "before");
            try {
              if (each.do === "append") {
                const chars = [...model.open, ...timed].reduce((sum, { data }) => sum + data.length, 0);
                const isFolded = chars > 4 << 20 && timed.length > 0;
                try {
                  if (isFolded && (each.fault === "before" || each.fault === "after"))
                    fail("seal", each.fault);
                  await journal.append(timed);
                } finally {
                  if (await news()) {
                    if ((await inner.get(id))!.sealedSeq !== before!.sealedSeq) model.seal(timed, []);
                    else model.open.push(...timed);
                  } else if (calls("seal") > seals) model.fold(timed);
                }
              } else if (each.do === "turn" || each.do === "seal" || each.do === "last") {
                const last =
                  each.do === "seal"
                    ? []
                    : [
                        newEntry(
                          each.do === "last" ? { kind: "setting", data: { method: "m" } } : end,
                          (atMs += 7),
                        ),
                      ];
                try {
                  if (each.do === "turn") await journal.sealTurn(last);
                  else if (each.do === "last") await journal.seal(last, timed);
                  else await journal.seal([]);
                } finally {
                  const added = each.do === "last" ? timed : [];
                  if (await news()) model.seal(added, last);
                  else if (calls("seal") > seals) model.fold(added);
                }
              } else if (each.do === "renew") await journal.renew();
              else if (each.do === "update") await journal.update({ title: `t${atMs}` });
              else {
                if (each.do === "release") await journal.release();
                await reopen();
              }
              if (each.do !== "renew") journal.setTurnRunning(each.running);
            } catch (error) {
              if (!isSidecarError(error, "STORE_FAILED", "LEASE_LOST")) throw error;
              if (each.do === "kill" || each.do === "release") await reopen();
            }
          }
          const kept = await stored(inner, id);
          const plain = (entries: readonly Entry[]) =>
            entries.map((entry) => ({ kind: entry.kind, atMs: entry.atMs, data: withoutLink(entry) }));
          expect(plain(kept)).toEqual([...model.final, ...model.open]);
          expect(checked(kept).damage).toBeUndefined();
          expect(checkedForward(kept).damage).toBeUndefined();
          const said = new Map<string, ReadonlyMap<number, string>>([[id, heads]]);
          const found = await verifyOne(inner, id, said);
          expect(found.damages).toEqual([]);
          expect(found.integrity.changed).toEqual([]);
          expect(found.completeness?.missing).toEqual([]);
          expect(found.completeness?.signed).toBe(heads.size);
        }),
        { numRuns: 30 * factor },
      );
    },
  );
});
