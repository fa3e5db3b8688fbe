import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { inspectFileStore } from "../../../src/care/file/repair.ts";
import { aJournal, anEntry, entriesOf, leaseOf, mustGet, someEntries } from "../../conformance/samples.ts";
import { aDirectory, journalOf, using } from "./sandbox.ts";

describe("an interrupted write", () => {
  for (const what of ["append", "seal"] as const) {
    it(`leaves all of the last ${what} or nothing of it, wherever it was cut, and the session goes on`, async () => {
      const directory = aDirectory();
      const [id, file, whole, before] = await using(directory, async (store) => {
        const { id, lease } = await aJournal(store, 2);
        await store.append(id, 2, someEntries(2, 3), lease);
        const file = journalOf(directory, id);
        const size = readFileSync(file).length;
        if (what === "append") await store.append(id, 4, someEntries(3, 5), lease);
        else await store.seal(id, { from: 3, head: 4 }, [anEntry("all"), anEntry("whole")], lease);
        return [id, file, readFileSync(file), size] as const;
      });
      const final =
        what === "append" ? someEntries(7) : [...someEntries(2), anEntry("all"), anEntry("whole")];
      for (let cut = before; cut < whole.length; cut += 1) {
        writeFileSync(file, whole.subarray(0, cut));
        // With the line break alone missing, it is all there.
        const expected = cut === whole.length - 1 ? final : someEntries(4);
        await using(directory, async (store) => {
          const { headSeq } = await mustGet(store, id);
          expect(headSeq, `cut at ${cut}`).toBe(expected.length);
          await store.append(id, headSeq, [anEntry("more")], await leaseOf(store, id));
        });
        const texts = await using(directory, async (store) =>
          (await entriesOf(store, id)).map(({ data }) => data),
        );
        expect(texts, `cut at ${cut}`).toEqual([...expected, anEntry("more")].map(({ data }) => data));
      }
    });
  }

  it("is passed over when it left bytes that mean nothing", async () => {
    const directory = aDirectory();
    const { id } = await using(directory, (store) => aJournal(store, 3));
    for (const garbage of ["\0".repeat(5000), '{"seq":4,"at":', "\u001b[31m"]) {
      appendFileSync(journalOf(directory, id), garbage);
      await using(directory, async (store) => {
        const { headSeq } = await mustGet(store, id);
        await store.append(id, headSeq, [anEntry("more")], await leaseOf(store, id));
        expect((await entriesOf(store, id)).length).toBe(headSeq + 1);
      });
    }
    expect((await inspectFileStore(directory)).damage).toEqual([]);
  });
});
