/**
 * What every end-to-end test file starts with: `const harness = useHarness()`. Programs can be started only
 * through it, so that after each test everything they emitted is judged by the official schema, and after
 * the file everything is stopped and no process may be left.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, expect } from "vitest";
import { fixtureCommand, sidecarBin } from "./paths.ts";
import { markName, markedProcesses, processesOutliving } from "./processes.ts";
import { Program, type Exit } from "./program.ts";
import { RawClient } from "./raw-client.ts";
import { SdkClient, type SdkClientOptions } from "./sdk-client.ts";
import type { Framing } from "./wire.ts";

export interface SidecarOptions {
  /** A fixture agent and its arguments; `"echo"` is the built-in agent. */
  readonly agent?: readonly string[] | "echo";
  /** Any other agent command. */
  readonly agentCommand?: readonly string[];
  /** Flags of the sidecar besides `--store`. */
  readonly args?: readonly string[];
  /** A store URL; a fresh SQLite file unless given. `null` gives no `--store` at all. */
  readonly store?: string | null;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly framing?: Framing;
}

/** Flags that begin the sidecar's command line, `--`, and the agent's command. */
function sidecarCommand(options: SidecarOptions, store: string | null): string[] {
  const agent = options.agent ?? ["agent.mjs"];
  const command = options.agentCommand ?? (agent === "echo" ? [] : fixtureCommand(agent));
  return [
    process.execPath,
    sidecarBin,
    ...(store === null ? [] : ["--store", store]),
    ...(options.args ?? []),
    ...(command.length === 0 ? [] : ["--", ...command]),
  ];
}

export type CliOptions = Pick<SidecarOptions, "env" | "cwd">;

export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Harness {
  /** A directory of this test file, removed at its end. Symbolic links are resolved. */
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), "acp-sidecar-e2e-")));
  readonly #programs: Program[] = [];
  #files = 0;

  /** A path that nothing has used yet. */
  path(name: string): string {
    return join(this.dir, `${(this.#files += 1)}-${name}`);
  }

  /** A fresh directory to be a session's `cwd`. */
  project(name = "project"): string {
    const path = this.path(name);
    mkdirSync(path);
    return path;
  }

  storeUrl(): string {
    return `sqlite:${this.path("sessions.db")}`;
  }

  sidecar(options: SidecarOptions = {}): Program {
    const store = options.store === undefined ? this.storeUrl() : options.store;
    return this.#start(sidecarCommand(options, store), options);
  }

  /** A fixture agent by itself, without the sidecar. */
  direct(agent: readonly string[], options: Pick<SidecarOptions, "env" | "cwd"> = {}): Program {
    return this.#start(fixtureCommand(agent), options);
  }

  /** A started sidecar, driven by the official SDK and initialised. */
  async connect(options: SidecarOptions & SdkClientOptions = {}): Promise<SdkClient> {
    const client = new SdkClient(this.sidecar(options), options);
    await client.initialize();
    return client;
  }

  /** A started sidecar, driven by lines of our own and initialised. */
  async connectRaw(options: SidecarOptions = {}): Promise<RawClient> {
    const client = new RawClient(this.sidecar(options));
    await client.initialize();
    return client;
  }

  /** Ends a program as an editor does, by closing its stdin, and expects that all of its processes end. */
  async stop(program: Program, withinMs = 8000): Promise<Exit> {
    program.endInput();
    const exit = await exitWithin(program, withinMs);
    expect(await processesOutliving(program.mark, 2000), "processes left behind").toEqual([]);
    return exit;
  }

  /** Kills a sidecar as a crash would; its agents see their stdin end. */
  async crash(program: Program): Promise<void> {
    program.kill("SIGKILL");
    await program.exited;
  }

  /** Runs a command of the sidecar's command line to its end, by itself. */
  async cli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    const program = this.#spawn([process.execPath, sidecarBin, ...args], options);
    let stdout = "";
    program.child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
    program.child.stdin.end();
    const { status } = await exitWithin(program, 20_000);
    const { stderr } = program;
    expect(await processesOutliving(program.mark, 2000), "processes left behind").toEqual([]);
    return { status, stdout, stderr };
  }

  judge(): void {
    const faults = this.#programs.flatMap((program) => program.takeFaults());
    expect(faults, `messages that the protocol forbids:\n${faults.join("\n")}`).toEqual([]);
  }

  async end(): Promise<void> {
    const stopped = await Promise.allSettled(
      this.#programs.filter(({ running }) => running).map((program) => this.stop(program)),
    );
    const left = this.#programs.flatMap(({ mark }) => markedProcesses(mark));
    for (const pid of left) process.kill(pid, "SIGKILL");
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 3 });
    const failed = stopped.flatMap((result) =>
      result.status === "rejected" ? [result.reason as Error] : [],
    );
    if (failed[0] !== undefined) throw failed[0];
    expect(left, "processes left behind").toEqual([]);
  }

  #start(command: readonly string[], options: SidecarOptions): Program {
    const program = this.#spawn(command, options);
    this.#programs.push(program);
    return program;
  }

  #spawn(command: readonly string[], { env, cwd, framing }: SidecarOptions): Program {
    const mark = randomUUID();
    const recordDir = this.path("record");
    mkdirSync(recordDir);
    return new Program({
      command,
      cwd: cwd ?? this.dir,
      // A list of ours in every session is no concern of most tests; e2e/commands.test.ts has it.
      env: {
        ...this.#environment(),
        ACP_SIDECAR_COMMANDS: "off",
        [markName]: mark,
        ACP_FIXTURE_RECORD: recordDir,
        ...env,
      },
      mark,
      recordDir,
      ...(framing === undefined ? {} : { framing }),
    });
  }

  /** Ours, with a home of its own and without settings of the person who runs the tests. */
  #environment(): NodeJS.ProcessEnv {
    const kept = Object.entries(process.env).filter(
      ([name]) => !/^(ACP_|XDG_|NODE_OPTIONS|VITEST)/.test(name),
    );
    // Agents that are left over are this harness's to look at.
    const own = { HOME: this.dir, XDG_DATA_HOME: join(this.dir, "data"), XDG_RUNTIME_DIR: this.dir };
    return { ...Object.fromEntries(kept), ...own };
  }
}

/** The exit of a program that must end by itself in time. */
export async function exitWithin(program: Program, withinMs: number): Promise<Exit> {
  const late = new AbortController();
  const timer = delay(withinMs, "late" as const, { signal: late.signal }).catch(() => "late" as const);
  const exit = await Promise.race([program.exited, timer]);
  late.abort();
  if (exit !== "late") return exit;
  for (const pid of markedProcesses(program.mark)) process.kill(pid, "SIGKILL");
  throw new Error(`Still running after ${withinMs} ms; stderr:\n${program.stderr.slice(-2000)}`);
}

export function useHarness(): Harness {
  const harness = new Harness();
  afterEach(() => harness.judge());
  // A long run leaves many folders, and a machine may be busy.
  afterAll(() => harness.end(), 300_000);
  return harness;
}
