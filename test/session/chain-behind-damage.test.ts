/** What becomes of a chain where what stands before cannot be read: for a moment, or for good. */
import { describe, expect, it } from "vitest";
import { SidecarError } from "../../src/base/errors.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { checked } from "./chain-rig.ts";
import { end, prompt } from "./entries.ts";
import { entries, open, session, stored } from "./journal-rig.ts";

async function damagedUp(to: number) {
  const inner = openMemoryStore();
  const damage = { isThere: false };
  const store = wrapStore(inner, {
    read: (id, range) => {
      if (damage.isThere && (range?.from ?? 1) <= to) throw new SidecarError("STORE_CORRUPT", "malformed");
      return inner.read(id, range);
    },
  });
  const id = await session(store);
  const { journal: first } = await open(store, id);
  const turn = async (journal = first) => {
    await journal.append(entries(prompt()));
    await journal.sealTurn(entries(end));
  };
  await turn();
  await first.release();
  const { journal } = await open(store, id);
  const report = async () => checked(await stored(inner, id));
  return { damage, turn: () => turn(journal), report };
}

describe("the chain of a session whose newest link cannot be read", () => {
  it("goes on from it where that was for a moment", async () => {
    const { damage, turn, report } = await damagedUp(2);
    damage.isThere = true;
    await turn();
    expect((await report()).linked).toEqual({ from: 1, through: 2 });
    damage.isThere = false;
    await turn();
    const { damage: found, events, linked } = await report();
    expect([found, linked]).toEqual([undefined, { from: 1, through: 6 }]);
    expect(events.filter(({ what }) => what === "begins")).toEqual([]);
    // A later moment is the first one of its kind.
    damage.isThere = true;
    await turn();
    expect((await report()).linked).toEqual({ from: 1, through: 8 });
  });

  it("begins anew with what could not be linked where it is so still", async () => {
    const { damage, turn, report } = await damagedUp(2);
    damage.isThere = true;
    await turn();
    await turn();
    const { damage: found, events } = await report();
    expect(found).toBeUndefined();
    expect(events).toMatchObject([{ what: "begins", from: 3 }]);
  });
});
