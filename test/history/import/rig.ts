/** Imports in tests: from files of a folder of their own into a store. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import { importHistory, type ImportOptions, type Told } from "../../../src/history/import/run.ts";
import type { HistoryReader, Problem } from "../../../src/history/import/native.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { Entry, Store } from "../../../src/store/contract.ts";

/** A folder that is gone after the tests of the file. */
export function scratchHome(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-import-"));
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Imported {
  readonly told: readonly Told[];
  readonly problems: readonly Problem[];
}

export async function importFrom(
  registry: SessionRegistry,
  reader: HistoryReader,
  home: string,
  options: Partial<ImportOptions> = {},
): Promise<Imported> {
  const told: Told[] = [];
  const problems: Problem[] = [];
  await importHistory({
    registry,
    reader,
    places: reader.places({ HOME: home }),
    onSession: (each) => void told.push(each),
    onProblem: (problem) => void problems.push(problem),
    ...options,
  });
  return { told, problems };
}

export const registryOf = (store: Store) => new SessionRegistry({ store });

export async function entriesOf(registry: SessionRegistry, id: Told["id"]): Promise<Entry[]> {
  const entries: Entry[] = [];
  if (id !== undefined) for await (const page of registry.read(id)) entries.push(...page);
  return entries;
}

/** What a person would read: kinds, and words, of each entry on a line. */
export function outline(entries: readonly Entry[]): string[] {
  return entries.map(({ kind, data }) => {
    const parsed = JSON.parse(data) as Record<string, Record<string, unknown>>;
    const child = parsed["acp-sidecar.child"] === undefined ? "" : "  child ";
    if (kind === "prompt") return `prompt ${wordsOf(parsed["prompt"])}`;
    if (kind !== "update") return `${kind} ${JSON.stringify(parsed["result"] ?? "")}`.trim();
    const update = parsed["update"] ?? {};
    const { sessionUpdate, title, status } = update;
    const entriesIn = (update["entries"] ?? []) as readonly Record<string, string>[];
    const items = entriesIn.map((each) => `${each["status"]}: ${each["content"]}`).join(", ");
    const said = wordsOf(update["content"]) || wordsOf(update["summary"]) || items;
    return `${child}${String(sessionUpdate)} ${[title, status, said].filter(Boolean).join(" | ")}`.trimEnd();
  });
}

function wordsOf(content: unknown): string {
  if (Array.isArray(content)) return content.map(wordsOf).filter(Boolean).join(" / ");
  if (typeof content !== "object" || content === null) return "";
  const block = content as Record<string, unknown>;
  if (block["type"] === "diff")
    return `${String(block["path"])}: ${String(block["oldText"])} -> ${String(block["newText"])}`;
  if (typeof block["text"] === "string") return block["text"];
  return block["content"] === undefined ? `[${String(block["type"])}]` : wordsOf(block["content"]);
}

/** The entries that count after all rewinds. */
export async function countingOf(registry: SessionRegistry, id: Told["id"]): Promise<Entry[]> {
  if (id === undefined) return [];
  const superseded = await registry.superseded(id);
  const isGone = ({ seq }: Entry) => superseded.some(({ from, through }) => from <= seq && seq <= through);
  return (await entriesOf(registry, id)).filter((entry) => !isGone(entry));
}
