/** What a command is: data that the parser, the help and the tests read alike. */
import type { Readable, Writable } from "node:stream";
import type { OptionName } from "../config/options.ts";

export interface Flag {
  readonly name: string;
  /** What its value is called in the help; absent for a flag without one. */
  readonly value?: string;
  readonly help: string;
}

/** What a command talks to, so that tests can stand in for the terminal. */
export interface Io {
  readonly input: Readable;
  readonly output: Writable;
  readonly errors: Writable;
  /** What is printed is JSON. */
  readonly isJson?: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The program that `demo` and `doctor` start as the sidecar. */
  readonly binary: string;
  /** Whether a person can be asked: what is read and where it is asked are a terminal. */
  readonly isTerminal?: boolean;
  /** Width of the terminal; undefined when the output is none. */
  readonly columns?: number | undefined;
  /** The same of `errors`. */
  readonly errorColumns?: number | undefined;
}

/** A command line, parsed and checked against its command. */
export interface Invocation {
  /** Configuration given by flags, as text. */
  readonly settings: Readonly<Partial<Record<OptionName, string>>>;
  /** `--config` */
  readonly configFile: string | undefined;
  /** The command's own flags: their text, or true. */
  readonly flags: Readonly<Record<string, string | true>>;
  readonly operands: readonly string[];
  /** The agent's command and arguments; empty for the configured or built-in one. */
  readonly agent: readonly string[];
}

export interface Command {
  /** One or two words; "" is not a name. */
  readonly name: string;
  readonly summary: string;
  /** What follows the name on the usage line. */
  readonly synopsis: string;
  readonly flags: readonly Flag[];
  /**
   * How many operands it takes, and which where there is a choice; `agent` takes all that follows as an agent's command,
   * `agentAfterDashes` only what stands after `--`; with `agent: true`, that may follow the operands.
   */
  readonly operands:
    | {
        readonly min: number;
        readonly max: number;
        readonly oneOf?: readonly string[];
        readonly agent?: true;
      }
    | "agent"
    | "agentAfterDashes";
  /** Other names of it. */
  readonly aliases?: readonly string[];
  /** The options of the configuration that its help tells: unless told, the store. It takes every one. */
  readonly options?: readonly OptionName[] | "all";
  /** Further lines of its help. */
  readonly notes?: readonly string[];
  /** Returns the exit status. Loads its code when it is called. */
  readonly run: (invocation: Invocation, io: Io) => Promise<number>;
}
