/** Where a store under test keeps its sessions: a medium for each check, and gone after it. */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { openCacheStore } from "../../src/store/memory/cache.ts";
import { openFileStore } from "../../src/store/file/store.ts";
import { openLayeredStore } from "../../src/store/layered/store.ts";
import type { Store } from "../../src/store/contract.ts";
import type { StoreUnderTest } from "../conformance/suite.ts";

type Opening = Pick<StoreUnderTest, "open" | "reopen" | "dispose">;

/** @param open opens a store at a path at which there is nothing yet, or what it left there */
export function onDisk(open: (path: string) => Promise<Store>): Opening {
  const made: string[] = [];
  let path = "";
  return {
    open: () => {
      const directory = mkdtempSync(join(tmpdir(), "acp-sidecar-conformance-"));
      made.push(directory);
      return open((path = join(directory, "store")));
    },
    reopen: () => open(path),
    dispose: async () => {
      for (const directory of made.splice(0)) await rm(directory, { recursive: true });
    },
  };
}

/** A part of a server of a test file's own. */
interface Sandbox {
  readonly url: string;
  readonly empty: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export function onServer(sandbox: Sandbox, open: (url: string) => Promise<Store>): Opening {
  afterAll(sandbox.close);
  return {
    open: async () => {
      await sandbox.empty();
      return open(sandbox.url);
    },
    reopen: () => open(sandbox.url),
  };
}

/** A cache so small that sessions come and go, before another one, before what outlives the process. */
export async function threeLayers(directory: string): Promise<Store> {
  const layers = [openCacheStore({ maxSessions: 2 }), openCacheStore(), await openFileStore({ directory })];
  return openLayeredStore({ layers });
}
