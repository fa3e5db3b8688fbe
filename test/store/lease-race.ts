/** Processes that race for one session's lease, and what must be true however the races end. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect } from "vitest";
import type { Store } from "../../src/store/store.ts";
import { aSession, entriesOf } from "../conformance/samples.ts";
import type { Answer, Step } from "./lease-racer.ts";

/**
 * Round by round: all ask for the free lease, and one gets it; all take it from each other, and all then
 * write at the same place: only the last to take can.
 */
export async function raceForLease(store: Store, url: string, racers: number, rounds: number): Promise<void> {
  const { id } = await store.create(aSession());
  const directory = await mkdtemp(join(tmpdir(), "acp-sidecar-race-"));
  const program = await bundled(directory);
  const children = Array.from({ length: racers }, () => fork(program, [url, id]));
  try {
    await Promise.all(children.map((child) => once(child, "message")));
    const all = (step: Step) => Promise.all(children.map((child) => told(child, step)));
    const written: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const asked = await all({ step: "ask" });
      expect(asked.map(codeIn).sort()).toEqual(
        [...Array<string>(racers - 1).fill("SESSION_BUSY"), "done"].sort(),
      );
      const winner = asked.findIndex((answer) => "value" in answer);
      const winnerText = `round ${round}, won by ${winner}`;
      expect(await told(at(children, winner), { step: "write", head: 2 * round, text: winnerText })).toEqual({
        value: 2 * round + 1,
      });
      const taken = await all({ step: "take" });
      const fences = taken.map((answer) => ("value" in answer ? answer.value : NaN));
      expect(new Set(fences).size).toBe(racers);
      const last = fences.indexOf(Math.max(...fences));
      const texts = children.map((_, racer) => `round ${round}, taken by ${racer}`);
      const writes = await Promise.all(
        children.map((child, racer) =>
          told(child, { step: "write", head: 2 * round + 1, text: at(texts, racer) }),
        ),
      );
      expect(writes.map(codeIn)).toEqual(
        children.map((_, racer) => (racer === last ? "done" : "LEASE_LOST")),
      );
      written.push(winnerText, at(texts, last));
      await told(at(children, last), { step: "release" });
    }
    const found = await entriesOf(store, id);
    expect(found.map(({ seq, data }) => [seq, (JSON.parse(data) as { text: string }).text])).toEqual(
      written.map((text, index) => [index + 1, text]),
    );
  } finally {
    await Promise.all(children.map(stopped));
    await rm(directory, { recursive: true });
  }
}

async function told(child: ChildProcess, step: Step): Promise<Answer> {
  const answered = once(child, "message") as Promise<[Answer]>;
  child.send(step);
  return (await answered)[0];
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, "exit");
  child.send({ step: "stop" } satisfies Step);
  await exited;
}

function codeIn(answer: Answer): string {
  return "code" in answer ? answer.code : "done";
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`nothing at ${index}`);
  return item;
}

async function bundled(directory: string): Promise<string> {
  const outfile = join(directory, "lease-racer.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("lease-racer.ts", import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    // What pg could use and does not need.
    external: ["pg-native", "cloudflare:sockets"],
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  return outfile;
}
