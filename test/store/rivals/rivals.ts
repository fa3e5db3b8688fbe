/** Processes that contend for the sessions of one store, and the history of what they were told. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { luaInBundles } from "../../../.ci/lua.mjs";
import type { SessionId } from "../../../src/base/ids.ts";
import type { Store } from "../../../src/store/contract.ts";
import type { HistoryEvent } from "../../torture/checker/history.ts";
import { Run } from "../../torture/world/run.ts";
import { findSession, listedIn } from "../../torture/world/store.ts";
import { nowNs, type Order, type Outcomes, type Said } from "./orders.ts";

export interface Noted {
  readonly event: HistoryEvent;
  readonly atNs: number;
}

export interface Rival {
  readonly process: ChildProcess;
  /** One order at a time. */
  readonly told: (order: Order) => Promise<Outcomes>;
  /** Resolves when it has said so many more things. */
  readonly heard: (count: number) => Promise<void>;
  readonly end: (signal: "SIGKILL" | "SIGTERM") => Promise<void>;
}

/** A directory with the program in it, ready to run. */
export async function rivalProgram(): Promise<{ readonly directory: string; readonly program: string }> {
  const directory = mkdtempSync(join(tmpdir(), "acp-sidecar-rivals-"));
  const program = join(directory, "rival.mjs");
  await build({
    entryPoints: [resolve("test/store/rivals/rival.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["better-sqlite3", "pg", "ioredis"],
    plugins: [luaInBundles],
  });
  symlinkSync(resolve("node_modules"), join(directory, "node_modules"));
  return { directory, program };
}

/** The processes on one store. */
export class Rivals {
  readonly noted: Noted[] = [];
  readonly #program: string;
  readonly #rivals: Rival[] = [];

  constructor(program: string) {
    this.#program = program;
  }

  async start(url: string, name: string): Promise<Rival> {
    const child = spawn(process.execPath, [this.#program, url, name], { stdio: ["pipe", "pipe", "inherit"] });
    const [answers, counts]: [((outcomes: Outcomes) => void)[], (() => void)[]] = [[], []];
    const answered = () => new Promise<Outcomes>((resolve) => answers.push(resolve));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const said = parsed(line);
      if (said === undefined) return;
      if ("outcomes" in said) return answers.shift()?.(said.outcomes);
      this.noted.push(said);
      counts.shift()?.();
    });
    const rival: Rival = {
      process: child,
      told: (order) => {
        child.stdin.write(`${JSON.stringify(order)}\n`);
        return answered();
      },
      heard: async (count) => {
        for (let at = 0; at < count; at += 1) await new Promise<void>((resolve) => counts.push(resolve));
      },
      end: async (signal) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        // All that it said has been read.
        const closed = once(child, "close");
        child.kill("SIGCONT");
        child.kill(signal);
        await closed;
      },
    };
    this.#rivals.push(rival);
    await answered();
    return rival;
  }

  note(event: HistoryEvent): void {
    this.noted.push({ event, atNs: nowNs() });
  }

  /** What was noted until now, judged by the promise of docs/durability.md. Errors: `PromiseBroken`. */
  async check(store: Store, ids: readonly SessionId[]): Promise<void> {
    const run = runOf(this.noted);
    const sessions = new Map(
      await Promise.all(ids.map(async (id) => [id, await findSession(store, id)] as const)),
    );
    run.check({ sessions, listed: await listedIn(store) });
  }

  async end(): Promise<void> {
    await Promise.all(this.#rivals.map((rival) => rival.end("SIGKILL")));
  }
}

/** The history in the order in which it happened, whoever told of it first. */
export function runOf(noted: readonly Noted[]): Run {
  const run = new Run();
  for (const { event } of noted.toSorted((a, b) => a.atNs - b.atNs)) run.note(event);
  return run;
}

/** Of a process that was killed the last line may be cut short. */
function parsed(line: string): Said | undefined {
  try {
    return JSON.parse(line) as Said;
  } catch {
    return undefined;
  }
}
