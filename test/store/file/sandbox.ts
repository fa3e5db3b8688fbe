/** Directories of file stores, and what their tests do to the files in them. */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { SessionId } from "../../../src/base/ids.ts";
import { openFileStore } from "../../../src/store/file/store.ts";
import type { Store } from "../../../src/store/contract.ts";
import { aHolder, always, entriesOf, mustGet } from "../../conformance/samples.ts";

const root = mkdtempSync(join(tmpdir(), "acp-sidecar-file-damage-"));
let directories = 0;
export const aDirectory = () => join(root, `${(directories += 1)}`);
export const rotating = { rotateBytes: 1 };

afterAll(() => rm(root, { recursive: true }));

export const folderOf = (directory: string, id: SessionId) => join(directory, "sessions", id.slice(-1), id);
export const journalOf = (directory: string, id: SessionId, n = 1) =>
  join(folderOf(directory, id), `journal.${n}.jsonl`);

export async function using<T>(directory: string, act: (store: Store) => Promise<T>): Promise<T> {
  const store = await openFileStore({ directory });
  try {
    return await act(store);
  } finally {
    await store.close();
  }
}

/** What a person would notice of a session: all of it, or the code of the first refusal. */
export function seen(directory: string, id: SessionId): Promise<unknown> {
  return using(directory, async (store) => {
    try {
      const record = await mustGet(store, id);
      const entries = await entriesOf(store, id);
      await store.acquire(id, { holder: aHolder("successor"), ttlMs: 1000, mayTake: always });
      return { record, entries };
    } catch (error) {
      return (error as { code?: string }).code;
    }
  });
}

export function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** Offset of the line that holds `text`. */
export function lineWith(bytes: Buffer, text: string): number {
  return bytes.lastIndexOf("\n", bytes.indexOf(text)) + 1;
}
