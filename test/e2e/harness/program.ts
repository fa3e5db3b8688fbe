/** A program under test that speaks ACP on its stdio: the sidecar, or a fixture agent by itself. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readAgentRecords, type AgentProcess } from "./agent-record.ts";
import { Judge } from "./judge.ts";
import { Recording, type Framing } from "./wire.ts";

export interface Exit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProgramOptions {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly mark: string;
  /** Where the fixture agents that it runs note what they are sent; absent when it runs none. */
  readonly recordDir?: string;
  readonly framing?: Framing;
}

export class Program {
  readonly child: ChildProcessWithoutNullStreams;
  readonly mark: string;
  /** Resolves when the process has ended and its pipes are drained. */
  readonly exited: Promise<Exit>;
  /** What it wrote to stdout. */
  readonly out: Recording;
  /** What it was sent, as far as it was messages. */
  readonly sent: Recording;
  readonly #recordDir: string | undefined;
  readonly #judge = new Judge("client");
  readonly #agentJudges = new Map<string, { judge: Judge; judged: number }>();
  #judgedOut = 0;
  #judgedSent = 0;
  #stderr = "";
  #exit: Exit | undefined;

  constructor({ command, cwd, env, mark, recordDir, framing }: ProgramOptions) {
    const [file, ...args] = command;
    if (file === undefined) throw new Error("A program needs a command");
    this.mark = mark;
    this.#recordDir = recordDir;
    this.out = new Recording(framing);
    this.sent = new Recording(framing);
    this.child = spawn(file, args, { cwd, env, stdio: "pipe" });
    this.child.stdout.on("data", (chunk: Buffer) => this.out.push(chunk));
    this.child.stderr.on("data", (chunk: Buffer) => (this.#stderr += chunk.toString("utf8")));
    // A program that has ended makes writes fail; tests learn of its end from `exited`.
    this.child.stdin.on("error", () => {});
    this.exited = this.#untilExit();
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  get stderr(): string {
    return this.#stderr;
  }

  write(bytes: string | Buffer): void {
    const chunk = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    this.sent.push(chunk);
    this.child.stdin.write(chunk);
  }

  endInput(): void {
    this.child.stdin.end();
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** The most resident memory that it has had; 0 where the system does not tell. */
  peakMemoryBytes(): number {
    const kib = /VmHWM:\s*(\d+) kB/.exec(readStatus(this.pid))?.[1];
    return Number(kib ?? 0) * 1024;
  }

  /** What the fixture agents that it ran were sent, one per process, in order of start. */
  agents(): AgentProcess[] {
    return this.#recordDir === undefined ? [] : readAgentRecords(this.#recordDir);
  }

  /** Faults in everything that it emitted, to the client and to agents, since the last call. */
  takeFaults(): string[] {
    for (const { message } of this.sent.entries.slice(this.#judgedSent)) {
      if (message?.method !== undefined && message.id !== undefined)
        this.#judge.asked(message.id, message.method);
    }
    this.#judgedSent = this.sent.length;
    for (const entry of this.out.entries.slice(this.#judgedOut)) this.#judge.sent(entry);
    this.#judgedOut = this.out.length;
    return [...this.#judge.takeFaults(), ...this.#restFaults(), ...this.#agentFaults()];
  }

  #restFaults(): string[] {
    const killed = this.#exit === undefined || this.#exit.signal === "SIGKILL";
    return killed || this.out.rest === ""
      ? []
      : [`stdout ended in the middle: ${this.out.rest.slice(0, 200)}`];
  }

  #agentFaults(): string[] {
    return this.agents().flatMap(({ file, notes }) => {
      const state = this.#agentJudges.get(file) ?? { judge: new Judge("agent"), judged: 0 };
      this.#agentJudges.set(file, state);
      for (const note of notes.slice(state.judged)) {
        if ("asked" in note) state.judge.asked(note.asked.id, note.asked.method);
        else if ("line" in note) judgeLine(state.judge, note.line);
      }
      state.judged = notes.length;
      return state.judge.takeFaults();
    });
  }

  async #untilExit(): Promise<Exit> {
    const [status, signal] = (await once(this.child, "close")) as [number | null, NodeJS.Signals | null];
    this.#exit = { status, signal };
    return this.#exit;
  }
}

function readStatus(pid: number): string {
  return process.platform === "linux" ? readFileSync(`/proc/${pid}/status`, "utf8") : "";
}

function judgeLine(judge: Judge, text: string): void {
  const recording = new Recording();
  recording.push(Buffer.from(`${text}\n`));
  for (const entry of recording.entries) judge.sent(entry);
}
