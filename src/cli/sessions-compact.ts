/** `sessions compact`: notes in the place of old output and thoughts, and back. */
import { SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import { sizeText } from "../base/size-text.ts";
import { cacheFolderOf, surroundings } from "../config/paths.ts";
import { Searcher } from "../history/search/search.ts";
import type { CompactionEffect } from "../session/compaction.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { assertMeant, isMeant } from "./confirm.ts";
import { freed, freedText } from "./freed.ts";
import { countText, oneLine, print, printJson } from "./print.ts";
import { addressed, countFrom, sessionAt, withSessions } from "./sessions.ts";

export async function compactSession(invocation: Invocation, io: Io): Promise<number> {
  const { flags } = invocation;
  if (flags["undo"]) return undo(invocation, io);
  assertMeant(
    "sessions compact takes output out",
    invocation,
    io,
    "--yes, or --dry-run to see what it would save",
  );
  return withSessions(invocation, io, async (registry, { store }) => {
    const { id, ...options } = await placeIn(registry, invocation, io);
    const effect = await registry.compaction.effect(id, options);
    if (effect.entries === 0 || flags["dry-run"]) return told(invocation, io, { id, ...effect });
    const question = `Compact ${entriesText(effect)} of ${id}: ${sizesText(effect, "will become")}?`;
    if (!(await isMeant(question, invocation, io, "Nothing was changed."))) return 1;
    const before = (await registry.stats()).bytes;
    const done = await registry.compact(id, { beforeSeq: effect.beforeSeq });
    await readAnew(registry, id, io);
    return told(invocation, io, { id, ...done, freedBytes: await freed(registry, store, before) });
  });
}

function undo(invocation: Invocation, io: Io): Promise<number> {
  const { flags, operands } = invocation;
  if (flags["before"] !== undefined || flags["dry-run"])
    throw new SidecarError("USAGE", "--undo restores all that it can; allowed with it: --json");
  return withSessions(invocation, io, async (registry) => {
    const { id } = await sessionAt(registry, operands[0] ?? "", io);
    const { left, ...done } = await registry.compaction.undo(id);
    await readAnew(registry, id, io);
    if (flags["json"]) await printJson(io, { id, undone: true, ...done, left });
    else {
      const stay = `; ${countText(left, "entry stays", "entries stay")} compacted: what was there is gone`;
      await print(
        io,
        `Restored ${countText(done.entries, "entry", "entries")} of ${id}: ${sizesText(done, "became")}${left > 0 ? stay : ""}\n`,
      );
    }
    return 0;
  });
}

/** Errors: `USAGE` where two places are named. */
async function placeIn(registry: SessionRegistry, { operands, flags }: Invocation, io: Io) {
  const { record, seq } = await addressed(registry, operands[0] ?? "", io);
  const { before } = flags;
  const beforeSeq = before === undefined ? seq : countFrom("before", before, 1);
  if (seq !== undefined && seq !== beforeSeq)
    throw new SidecarError("USAGE", `${operands[0]} and --before ${before} are two places; name one`);
  return { id: record.id, ...(beforeSeq !== undefined && { beforeSeq }) };
}

/** What was done, or would be. What is kept to undo it takes room, too, packed. */
interface Told extends CompactionEffect {
  readonly id: SessionId;
  readonly freedBytes?: number;
}

async function told({ flags }: Invocation, io: Io, effect: Told): Promise<number> {
  const { id, freedBytes = 0 } = effect;
  const isDry = flags["dry-run"] === true;
  if (flags["json"]) await printJson(io, { ...effect, ...(isDry && { dryRun: true }) });
  else if (effect.entries === 0) await print(io, `Nothing to compact in ${id}${beforeText(effect)}\n`);
  else {
    const what = `${entriesText(effect)} of ${id}: ${sizesText(effect, isDry ? "would become" : "became")}${freedText(freedBytes)}`;
    const back = `Back again: acp-sidecar sessions compact ${id} --undo\n`;
    await print(io, `${isDry ? "Would compact" : "Compacted"} ${what}\n${isDry ? "" : back}`);
  }
  return 0;
}

function entriesText(effect: CompactionEffect): string {
  return `${countText(effect.entries, "entry", "entries")}${beforeText(effect)}`;
}

function beforeText({ beforeSeq }: CompactionEffect): string {
  return ` before entry ${beforeSeq}`;
}

function sizesText({ bytesBefore, bytesAfter }: Omit<CompactionEffect, "beforeSeq">, become: string): string {
  return `${sizeText(bytesBefore)} ${become} ${sizeText(bytesAfter)}`;
}

/** By the next search. An index that cannot be written must not make it look as if nothing was done. */
async function readAnew(registry: SessionRegistry, id: SessionId, io: Io): Promise<void> {
  const searcher = new Searcher(registry, { cacheFolder: cacheFolderOf(surroundings(io.env)) });
  try {
    await searcher.forget(id);
  } catch (error) {
    if (!(error instanceof SidecarError)) throw error;
    io.errors.write(`acp-sidecar: ${oneLine(error.message)}\n`);
  } finally {
    await searcher.close();
  }
}
