/** A bundle carries the chain of its session: edited it is refused, also by who makes its own hash anew. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { linkIn } from "../../../src/acp/chain-link.ts";
import { verifyOne } from "../../../src/care/verify.ts";
import { exportSession } from "../../../src/history/export/export.ts";
import { bundles } from "../../../src/history/import/bundle/reader.ts";
import { collect } from "../../../src/session/pages.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { Entry, Store } from "../../../src/store/contract.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { doSteps, type Step } from "../../session/chain-rig.ts";
import { importFrom, registryOf, scratchHome } from "./rig.ts";

const scratch = scratchHome();
const place = path.join(scratch, "a.acpbundle");
const turns: readonly Step[] = [
  { do: "old", parts: 1 },
  { do: "turn", parts: 1 },
  { do: "message" },
  { do: "part" },
  { do: "turn", parts: 2 },
  { do: "part" },
];

async function bundleOf(store: Store, id: Parameters<typeof exportSession>[1]): Promise<string[]> {
  let text = "";
  for await (const piece of await exportSession(new SessionRegistry({ store }), id, { format: "bundle" }))
    text += piece;
  return text.trimEnd().split("\n");
}

/** Its lines as a bundle, with a hash and a count that fit. */
function write(lines: readonly string[]): void {
  const body = lines.slice(0, -1);
  const sha256 = createHash("sha256")
    .update(`${body.join("\n")}\n`)
    .digest("hex");
  const end = JSON.stringify({ end: { entries: body.length - 2, sha256 } });
  fs.writeFileSync(place, `${[...body, end].join("\n")}\n`);
}

const bring = (store: Store) => importFrom(registryOf(store), bundles, scratch, { places: [place] });

describe("the chain of a bundle [issue 11.2]", () => {
  it("comes with it to the letter, and goes on where it is brought in", async () => {
    const [there, here] = [openMemoryStore(), openMemoryStore()];
    const id = await doSteps(there, turns);
    write(await bundleOf(there, id));
    expect((await bring(here)).told).toMatchObject([{ what: "imported", id }]);
    const entries = await collect(there.read(id));
    expect(await collect(here.read(id))).toEqual(entries);
    expect((await bring(here)).told).toMatchObject([{ what: "present", id }]);
    await new SessionRegistry({ store: here }).addMessage(id, { role: "user", content: "on" });
    const { damages, chain } = await verifyOne(here, id);
    expect([damages, chain.damage, chain.linked?.through]).toEqual([[], undefined, entries.length + 1]);
    const last = (await collect(here.read(id))).at(-1) as Entry;
    expect(linkIn(last)).toMatchObject({ begins: false, through: entries.length + 1 });
    // Back where it came from it is the same session, which has gone on.
    write(await bundleOf(here, id));
    expect((await bring(there)).told).toMatchObject([{ what: "continued", id, entries: 1 }]);
    expect((await bring(there)).told).toMatchObject([{ what: "present", id }]);
    expect((await verifyOne(there, id)).chain).toEqual(chain);
  });

  it("keeps an edited one out, whatever its own hash says, and nothing of it stays", async () => {
    const [there, here] = [openMemoryStore(), openMemoryStore()];
    const id = await doSteps(there, turns);
    const lines = await bundleOf(there, id);
    const { linked } = (await verifyOne(there, id)).chain;
    const seq = linked?.from ?? 0;
    expect(seq).toBeGreaterThan(1);
    const line = seq + 1;
    for (const changed of [
      lines.with(line, lines[line]?.replace("ask", "ASK") ?? ""),
      lines.with(line + 1, lines[line + 1]?.replace("think", "THINK") ?? ""),
      lines.with(line, lines[line]?.replace(/"atMs":\d/, '"atMs":9') ?? ""),
    ]) {
      expect(changed).not.toEqual(lines);
      write(changed);
      await expect(bring(here)).rejects.toMatchObject({ code: "BUNDLE_INVALID" });
    }
    expect((await here.list()).items).toEqual([]);
    write(lines);
    expect((await bring(here)).told).toMatchObject([{ what: "imported", id }]);
  });
});
