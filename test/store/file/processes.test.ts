import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openFileStore } from "../../../src/store/file/store.ts";
import type { SessionId } from "../../../src/base/ids.ts";
import type { Store } from "../../../src/store/contract.ts";
import { aJournal, anEntry, aSession, entriesOf, leaseOf } from "../../conformance/samples.ts";
import { modelAfter, stateOf } from "./acts.ts";

const root = mkdtempSync(join(tmpdir(), "acp-sidecar-file-processes-"));
const program = join(root, "child.mjs");
const seed = Number(process.env["TEST_SEED"] ?? 20_250_101);
let directories = 0;

beforeAll(() => {
  const entry = fileURLToPath(new URL("child.ts", import.meta.url));
  buildSync({
    entryPoints: [entry],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
});

afterAll(() => rm(root, { recursive: true }));

async function opened(): Promise<{ store: Store; directory: string }> {
  const directory = join(root, `${(directories += 1)}`);
  return { store: await openFileStore({ directory, rotateBytes: 4096 }), directory };
}

interface Child {
  readonly process: ChildProcess;
  readonly lines: string[];
  /** Resolves with the exit status when all output has been read. */
  readonly ended: Promise<number | null>;
  /** Resolves when this many lines have come. */
  heard(count: number): Promise<void>;
}

function start(args: readonly string[], options: SpawnOptions = {}, wrap?: string): Child {
  const command = wrap === undefined ? process.execPath : "sh";
  const given = [program, ...args];
  const child = spawn(command, wrap === undefined ? given : ["-c", wrap, process.execPath, ...given], {
    ...options,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const waiting: (() => void)[] = [];
  if (child.stdout === null) throw new Error("no stdout");
  const reader = createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    for (const wake of waiting.splice(0)) wake();
  });
  const ended = Promise.all([
    new Promise<number | null>((resolve) => child.on("exit", resolve)),
    new Promise<void>((resolve) => reader.on("close", resolve)),
  ]).then(([status]) => {
    for (const wake of waiting.splice(0)) wake();
    return status;
  });
  const heard = async (count: number) => {
    while (lines.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  return { process: child, lines, ended, heard };
}

/** A generator of numbers in [0, 1) that a failure can be replayed with. */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

it(
  `has all that was acknowledged, and nothing in part, after SIGKILLs at random instants (seed ${seed})`,
  { tags: ["long"] },
  async () => {
    const random = randomFrom(seed);
    const { store, directory } = await opened();
    const { id } = await store.create(aSession());
    const segments = async () => Number((await store.stats()).details?.["segments"]);
    let done = 0;
    // On a crowded machine twenty may all come too early for a rotation.
    for (let kill = 0; kill < 20 || (await segments()) === 0; kill += 1) {
      const child = start(["acts", directory, id, `${done}`]);
      await child.heard(1 + Math.floor(random() ** 2 * 400));
      // Not in step with the acts, which take some tens of microseconds each.
      const until = process.hrtime.bigint() + BigInt(Math.floor(random() * 1e6));
      while (process.hrtime.bigint() < until);
      child.process.kill("SIGKILL");
      await child.ended;
      const acknowledged = Number(child.lines.at(-1)) + 1;
      // The act that was under way is there whole or not at all.
      const found = await stateOf(store, id);
      done = found.texts.length === modelAfter(acknowledged).texts.length ? acknowledged : acknowledged + 1;
      if (JSON.stringify(found) !== JSON.stringify(modelAfter(done))) done = acknowledged + 1;
      expect(found, `kill ${kill}, ${acknowledged} acts acknowledged`).toEqual(modelAfter(done));
      const fresh = await openFileStore({ directory });
      expect(await stateOf(fresh, id)).toEqual(found);
      await fresh.close();
    }
    expect(done).toBeGreaterThan(100);
    await store.close();
  },
);

it("says STORE_FULL when a file cannot grow, keeps what was acknowledged, and goes on when it can", async () => {
  const { store, directory } = await opened();
  const { id } = await store.create(aSession());
  // A limit on the size of files stands for a full disk: the write stops in the middle of a line.
  const child = start(["append", directory, id, "5000"], {}, 'ulimit -f 128; exec "$0" "$@"');
  expect(await child.ended).toBe(0);
  const refusal = child.lines.at(-1) ?? "";
  expect(refusal).toMatch(/^STORE_FULL File store .*: EFBIG; free some space/);
  const acknowledged = Number(child.lines.at(-2));
  expect(acknowledged).toBeGreaterThan(5);
  const { texts } = await stateOf(store, id);
  expect(texts.length).toBe(acknowledged);
  const lease = await leaseOf(store, id);
  expect(await store.append(id, acknowledged, [anEntry("more")], lease)).toBe(acknowledged + 1);
  const fresh = await openFileStore({ directory });
  expect((await stateOf(fresh, id)).texts).toEqual([...texts, "more"]);
  await fresh.close();
  await store.close();
});

it(
  "gives a fork all of its history, or refuses it, while another process deletes its parent",
  { tags: ["long"] },
  async () => {
    const { store, directory } = await opened();
    const parents: SessionId[] = [];
    for (let i = 0; i < 300; i += 1) parents.push((await aJournal(store, 1)).id);
    const forking = start(["fork", directory, ...parents]);
    const deleting = start(["delete", directory, ...parents]);
    expect(await Promise.all([forking.ended, deleting.ended])).toEqual([0, 0]);
    const forks = forking.lines.filter((line) => line !== "SESSION_NOT_FOUND") as SessionId[];
    for (const id of forks) expect((await entriesOf(store, id)).length, id).toBe(1);
    expect((await store.list({ limit: 1000 })).items.map(({ id }) => id).sort()).toEqual(forks.sort());
    for (const id of forks) await store.delete(id);
    expect(await store.stats()).toMatchObject({ sessions: 0, details: { keptForForks: 0 } });
    await store.close();
  },
);

// Elsewhere a shell's limit of open files does not hold for the program in the same way.
it.runIf(process.platform === "linux")("works with 64 files, most of them left to others", async () => {
  const { store, directory } = await opened();
  await store.close();
  const child = start(["crowd", directory, "100"], {}, 'ulimit -n 64; exec "$0" "$@"');
  expect(await child.ended).toBe(0);
  const [open = "", ...lines] = child.lines;
  expect(Number.parseInt(open)).toBeLessThan(48);
  const both = [anEntry("first"), anEntry("second")].map(({ data }) => data).join();
  expect(lines).toEqual([...Array.from({ length: 100 }, () => both), "true 100"]);
});
