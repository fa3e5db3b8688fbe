/** Where a torture run takes place: a directory, the sidecars that it starts, and the end of all of them. */
import { encryptionVariables } from "./encryption.ts";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { fixtureCommand, sidecarBin } from "../../e2e/harness/paths.ts";
import { markedProcesses, markName } from "../../e2e/harness/processes.ts";
import { Program } from "../../e2e/harness/program.ts";
import { postgresSandbox } from "../../store/sql/postgres/sandbox.ts";
import { redisSandbox } from "../../store/redis/sandbox.ts";

export interface SidecarStart {
  readonly store: string;
  /** A fixture agent and its arguments, or the whole command when it begins with a path. */
  readonly agent: readonly string[];
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Put before the command: a program that starts it. */
  readonly through?: readonly string[];
}

/** Of an agent that dies all the time every death is forgiven at once; a cancelled turn ends soon. */
const hurried = ["--agent-restarts", "1000", "--agent-backoff", "1ms", "--cancel-grace", "300ms"];

export class World {
  readonly dir: string;
  readonly #programs: Program[] = [];
  readonly #sandboxes: { readonly close: () => Promise<void> }[] = [];
  #paths = 0;

  /** @param parent where its directory is made */
  constructor(parent = tmpdir()) {
    this.dir = realpathSync(mkdtempSync(join(parent, "acp-sidecar-torture-")));
  }

  path(name: string): string {
    return join(this.dir, `${(this.#paths += 1)}-${name}`);
  }

  /** A fresh place of the kind that `store` names: `sqlite`, `file`, or a server's URL, where it is gone at the end. */
  storeUrl(store: string): string {
    if (store === "sqlite" || store === "sqlite:") return `sqlite:${this.path("sessions.db")}`;
    if (store === "file" || store === "file:") return `file:${this.path("sessions")}`;
    if (!/^(postgres|postgresql|redis|rediss):/.test(store)) throw new Error(`There is no store ${store}`);
    const sandbox = store.startsWith("redis") ? redisSandbox(store) : postgresSandbox(store);
    this.#sandboxes.push(sandbox);
    return sandbox.url;
  }

  sidecar({ store, agent, args = [], env = {}, through = [] }: SidecarStart): Program {
    const command = [process.execPath, sidecarBin, "--store", store, ...hurried, "--log-level", "warn"];
    const agentCommand = isAbsolute(agent[0] ?? "") ? agent : fixtureCommand(agent);
    return this.start([...through, ...command, ...args, "--", ...agentCommand], env);
  }

  start(command: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
    const mark = randomUUID();
    const program = new Program({
      command,
      cwd: this.dir,
      env: { ...this.#environment(), [markName]: mark, ...env },
      mark,
    });
    this.#programs.push(program);
    void program.exited.then(() => this.#programs.splice(this.#programs.indexOf(program), 1));
    return program;
  }

  /** Kills what still runs, empties servers and removes the directory. */
  async end(): Promise<void> {
    const programs = [...this.#programs];
    for (const { mark } of programs) {
      for (const pid of markedProcesses(mark)) process.kill(pid, "SIGKILL");
    }
    await Promise.all(programs.map(({ exited }) => exited));
    await Promise.all(this.#sandboxes.map((sandbox) => sandbox.close()));
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  #environment(): NodeJS.ProcessEnv {
    const kept = Object.entries(process.env).filter(
      ([name]) => !/^(ACP_|XDG_|NODE_OPTIONS|VITEST)/.test(name),
    );
    const home = join(this.dir, "home");
    mkdirSync(home, { recursive: true });
    return { ...Object.fromEntries(kept), ...encryptionVariables(), HOME: home, XDG_DATA_HOME: home };
  }
}
