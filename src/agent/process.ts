/** An agent in a child process: spawned in a process group of its own, so that all of it can be stopped. */
import { SidecarError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Outlet } from "../base/outlet.ts";
import { identityOf } from "../base/process.ts";
import type { Secrets } from "../base/secrets.ts";
import { updateLane } from "../acp/chunks.ts";
import { Connection, type InvalidMessage } from "../rpc/endpoint.ts";
import type { Agent, AgentExit, AgentHandlers } from "./agent.ts";
import { waitAtMost } from "../base/time.ts";
import type { AgentCommand } from "../config/config.ts";
import { launch, type Child, type HowItEnded, type Launched } from "./launch.ts";
import { noteAgent } from "./left-over.ts";
import { stopGroup } from "./process-group.ts";
import { StderrTail, tellingLine } from "./stderr.ts";

export interface ProcessAgentOptions extends AgentCommand {
  readonly maxMessageBytes: number;
  /** How long it may take to end by itself when its input has ended, and then after SIGTERM. */
  readonly stopGraceMs: number;
  readonly log: Logger;
  /** What it says on its stderr goes there, as it comes. */
  readonly errors?: Outlet | undefined;
  /** Taken out of what it says there. */
  readonly secrets?: Secrets | undefined;
}

/** How long an agent that is gone may leave its pipe open without a word, and how long one may outlive its pipes. */
const drainAfterExitMs = 1000;
/** How long what the agent started may outlive it. */
const strayGraceMs = 300;

/** Errors: `AGENT_NOT_STARTED`. */
export async function startProcessAgent(
  options: ProcessAgentOptions,
  handlers: AgentHandlers,
  launched: Promise<Launched> = launch(options),
): Promise<Agent> {
  const { child, exited: gone } = await launched;
  const stderr = new StderrTail(child.stderr, options.errors, options.secrets);
  const strays = new Strays(options);
  const connection = connect(child, options, handlers, strays);
  const identity = child.pid === undefined ? undefined : identityOf(child.pid);
  const forget = identity && noteAgent(identity);
  let wanted = false;
  void stopWhenUseless(child, connection, gone, options.stopGraceMs);
  const failure = endOf(gone, connection, strays, (how) => exitError(options.command, how, stderr.lines));
  const exited = failure.then((error): AgentExit => ({ error, wanted }));
  // Not part of the exit: the next run need not wait for what this one left behind.
  const cleaned = exited.then(() => stopGroup(child.pid, strayGraceMs)).then(forget);
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    wanted = true;
    await waitAtMost(connection.endOutput(), options.stopGraceMs);
    await waitAtMost(gone, options.stopGraceMs);
    await stopGroup(child.pid, options.stopGraceMs);
    await exited;
    await cleaned;
  };
  return {
    ...(identity && { process: identity }),
    get received() {
      return connection.received;
    },
    request: (method, params, how) => connection.request(method, params, how),
    notify: (method, params) => connection.notify(method, params),
    exited,
    stop: () => (stopping ??= stop()),
    abandon: (reason) => connection.close(reason),
  };
}

/** Everything that the agent said is taken first. */
async function endOf(
  gone: Promise<HowItEnded>,
  connection: Connection,
  strays: Strays,
  errorOf: (how: HowItEnded) => SidecarError,
): Promise<SidecarError> {
  const how = await gone;
  await drained(connection);
  strays.sum();
  const error = errorOf(how);
  connection.close(error);
  return error;
}

function connect(
  { stdin, stdout }: Child,
  { maxMessageBytes, log }: ProcessAgentOptions,
  handlers: AgentHandlers,
  strays: Strays,
): Connection {
  const lane = updateLane((updates) => handlers.updates(updates));
  const invalid = (message: InvalidMessage) => {
    strays.add(message);
    const { id, error } = message;
    // A request all the same: its answer is waited for.
    if (id !== null) void connection.sendError(id, error);
  };
  const connection = new Connection(
    { input: stdout, output: stdin, maxMessageBytes, log, lane },
    {
      request: (method, params, context) => handlers.request(method, params, context),
      notification: (method, params) => handlers.notification(method, params),
      invalid,
    },
  );
  return connection;
}

/** What an agent writes to its stdout that is no message: some write their whole log there. */
class Strays {
  readonly #log: Logger;
  readonly #secrets: Secrets | undefined;
  #count = 0;

  constructor({ log, secrets }: Pick<ProcessAgentOptions, "log" | "secrets">) {
    this.#log = log;
    this.#secrets = secrets;
  }

  /** Logs the first, the tenth, the hundredth … */
  add({ error, excerpt }: InvalidMessage): void {
    this.#count += 1;
    if (!/^10*$/.test(String(this.#count))) return;
    this.#say(error.message);
    const wrote = this.#secrets?.hideCut(excerpt) ?? excerpt;
    this.#log.debug({ excerpt: wrote }, "what the agent wrote");
  }

  /** There will be no more. */
  sum(): void {
    if (this.#count > 1) this.#say("all that there were");
  }

  #say(reason: string): void {
    const facts = { reason, count: this.#count };
    this.#log.warn(facts, "the agent wrote something to its stdout that is no message");
  }
}

/** An agent that has closed its output or its input can answer nothing any more. */
async function stopWhenUseless(
  child: Child,
  connection: Connection,
  gone: Promise<unknown>,
  graceMs: number,
): Promise<void> {
  await Promise.race([connection.ended, connection.broken]);
  await waitAtMost(gone, drainAfterExitMs);
  if (child.exitCode === null && child.signalCode === null) await stopGroup(child.pid, graceMs);
}

/** Settles when all that an agent said before it went has been taken, however slowly. */
async function drained(connection: Connection): Promise<void> {
  let hasEnded = false;
  const ended = connection.ended.then(() => {
    hasEnded = true;
  });
  // Something that the agent started may keep the pipe open: silence for a while is an end, too.
  for (let received = -1; !hasEnded && (connection.isBehind || connection.received !== received);) {
    ({ received } = connection);
    await waitAtMost(ended, drainAfterExitMs);
  }
}

function exitError(command: string, how: HowItEnded, stderr: readonly string[]): SidecarError {
  const end = how.signal === null ? `exited with status ${how.exitCode}` : `was ended by ${how.signal}`;
  const words = tellingLine(stderr);
  const said = words === undefined ? "" : `; it said: ${words.trim()}`;
  return new SidecarError("AGENT_EXITED", `The agent ${command} ${end}${said}`, {
    data: { exitCode: how.exitCode, signal: how.signal, stderr },
  });
}
