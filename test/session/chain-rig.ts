/** Sessions with chains, for tests: what is done to them in turn, and how somebody changes what stands there. */
import { ChainCheck, ChainStarts, type ChainReport } from "../../src/session/chain-check.ts";
import type { SessionId } from "../../src/base/ids.ts";
import { isSidecarError } from "../../src/base/errors.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { Entry, NewEntry, Store } from "../../src/store/contract.ts";
import { chunk, end, newEntry, prompt, thought, tool, type Item } from "./entries.ts";

/** What is done to a session. */
export type Step =
  | { readonly do: "turn"; readonly parts: number }
  | { readonly do: "message" | "rename" | "archive" | "compact" | "undo" | "fork" | "rewind" | "summary" }
  /** Entries become final that do not end a turn, and whoever held the session is gone. */
  | { readonly do: "part" }
  /** As a program wrote it that knew of no chain. */
  | { readonly do: "old"; readonly parts: number };

let at = 1000;

function turn(parts: number): Item[] {
  const content = [{ type: "content", content: { type: "text", text: "a line of output\n".repeat(40) } }];
  const some = Array.from({ length: parts }, (_, n): Item[] => [
    thought(`think ${n} `.repeat(60), `m${n}`),
    tool({ title: `Read ${n}`, status: "completed", content }, "tool_call", `t${at}-${n}`),
    chunk(`answer ${n}`, `a${n}`),
  ]);
  return [prompt(`ask ${at}`), ...some.flat()];
}

const timed = (items: readonly Item[]): NewEntry[] => items.map((item) => newEntry(item, (at += 7)));

/** Does the steps one after the other; returns the session in which the last one was done. */
export async function doSteps(store: Store, steps: readonly Step[]): Promise<SessionId> {
  const registry = new SessionRegistry({ store });
  let { id } = await registry.create({ cwd: "/tmp" });
  for (const step of steps) {
    try {
      id = (await doStep(registry, id, step)) ?? id;
    } catch (error) {
      // Nothing to undo, no place to go back to.
      if (!isSidecarError(error, "INVALID_PARAMS")) throw error;
    }
  }
  return id;
}

async function doStep(registry: SessionRegistry, id: SessionId, step: Step): Promise<SessionId | undefined> {
  const { headSeq } = await registry.get(id);
  switch (step.do) {
    case "turn":
    case "part":
    case "old": {
      const { journal } = await registry.open(id);
      const entries = timed(turn(step.do === "part" ? 1 : step.parts));
      if (step.do === "old") await journal.restore([...entries, ...timed([end])]);
      else await journal.append(entries);
      if (step.do === "turn") await journal.seal(timed([end]));
      if (step.do === "part") await journal.seal([]);
      await journal.release();
      return undefined;
    }
    case "message":
      return void (await registry.addMessage(id, { role: "user", content: `said ${at}` }));
    case "rename":
      return void (await registry.rename(id, `title ${at}`));
    case "archive":
      return void (await registry.archive(id));
    case "compact":
      return void (await registry.compact(id));
    case "undo":
      return void (await registry.compaction.undo(id));
    case "summary":
      return void (await registry.addSummary(id, { throughSeq: headSeq, content: "in short", by: "tests" }));
    case "fork":
      return (await registry.fork(id, Math.max(0, headSeq - (at % 3)))).id;
    case "rewind":
      return void (await registry.rewind(id, Math.floor(headSeq / 2)));
  }
}

/** What a check says of entries. */
export function checked(entries: readonly Entry[]): ChainReport {
  const check = new ChainCheck();
  for (const entry of entries) {
    const from = check.take(entry);
    if (from !== undefined) for (const each of entries.slice(from - 1, entry.seq)) check.take(each);
  }
  return check.report;
}

/** The same without looking back: read once to see where stretches begin, and once more. */
export function checkedForward(entries: readonly Entry[]): ChainReport {
  const found = new ChainStarts();
  for (const entry of entries) found.take(entry);
  const check = new ChainCheck(found);
  for (const entry of entries) check.take(entry);
  return check.report;
}

export const renumbered = (entries: readonly NewEntry[]): Entry[] =>
  entries.map(({ kind, atMs, data }, n) => ({ seq: n + 1, kind, atMs, data }));
