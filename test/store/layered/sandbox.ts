/** Layered stores over layers that can be broken, and what their tests ask of them. */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { SessionId } from "../../../src/base/ids.ts";
import { openFileStore } from "../../../src/store/file/store.ts";
import { openLayeredStore } from "../../../src/store/layered/store.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import type { Store } from "../../../src/store/contract.ts";
import { entriesOf, someEntries } from "../../conformance/samples.ts";
import { breakable } from "../breakable.ts";

const root = mkdtempSync(join(tmpdir(), "acp-sidecar-copies-"));
let directories = 0;
export const aDirectory = () => join(root, `${(directories += 1)}`);
afterAll(() => rm(root, { recursive: true }));

export function layered(options: { retryMs?: number; fast?: Store } = {}) {
  const fast = breakable(options.fast ?? openMemoryStore());
  const truth = breakable(openMemoryStore());
  const { retryMs = 0 } = options;
  return { store: openLayeredStore({ layers: [fast.store, truth.store], retryMs }), fast, truth };
}

/** Two processes' stores on one directory, the first behind a faster layer. */
export async function overFiles(options: { freshForMs?: number } = {}) {
  const directory = aDirectory();
  const fast = breakable(openMemoryStore());
  const truth = breakable(await openFileStore({ directory }));
  const other = await openFileStore({ directory });
  return { store: openLayeredStore({ layers: [fast.store, truth.store], ...options }), fast, truth, other };
}

export const textsOf = async (store: Store, id: SessionId) =>
  (await entriesOf(store, id)).map(({ data }) => data);
export const data = (count: number) => someEntries(count).map((entry) => entry.data);

/** Something that one waits for and another one brings about. */
export function aSignal(): { readonly given: Promise<void>; readonly give: () => void } {
  let give = () => {};
  const given = new Promise<void>((resolve) => (give = resolve));
  return { given, give };
}
