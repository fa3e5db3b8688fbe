/** The configuration as the program uses it. A leaf: types only. */
import type { Structures } from "./structures.ts";

/** `none`: nothing waits for the medium's sync; `turn`: a turn's answer does; `full`: every append does. */
export type Durability = "none" | "turn" | "full";

/**
 * Whose session is taken over when it is opened here. `idle`: an idle holder's; `error`: nobody's; `takeover`: also that
 * of a holder in a turn.
 */
export type OnBusy = "idle" | "error" | "takeover";

/** `required`: what cannot be recorded is not done. */
export type AuditMode = "off" | "on" | "required";

/** Who is told of files that have changed by other hands: nobody, the agent before a prompt, or who loads a session. */
export type ContextNote = "off" | "prompt" | "load";

export type LogLevel = "silent" | "error" | "warn" | "info" | "debug";

/** The program that answers prompts. `args` and `env` may hold secrets and are never printed. */
export interface AgentCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to our own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Names of variables of ours that it does not inherit. */
  readonly withheld?: readonly string[];
}

/** Everything that can be configured, frozen. */
export interface Config extends Structures {
  /** URL of the store, as `openStore` takes it. */
  readonly store: string;
  /** Where the key is that the store is encrypted with: `file:PATH`, `env:NAME` or `command:PROGRAM`. Absent: it is not. */
  readonly encryptionKey?: string;
  /** Where those are that it was encrypted with before. */
  readonly previousKeys?: readonly string[];
  /** As whom we act. Absent: what is made here belongs to everybody who can open the store. */
  readonly identity?: string;
  /** Where the token is with whose rights we act: `file:PATH`, `env:NAME` or `command:PROGRAM`. */
  readonly token?: string;
  /** Who reaches all sessions, whosever they are. */
  readonly admins?: readonly string[];
  readonly durability: Durability;
  readonly onBusy: OnBusy;
  /** How long a cancelled turn may go on before we end it. */
  readonly cancelGraceMs: number;
  /** A live session without activity for this long is detached; its history stays. */
  readonly idleTimeoutMs: number;
  /** Between two rounds of the sweeper. */
  readonly sweepIntervalMs: number;
  /** Sessions without activity for this long are deleted. Absent: never. */
  readonly retentionMs?: number;
  /** Sessions without activity for this long are archived. Absent: never. */
  readonly archiveAfterMs?: number;
  /** Between two rounds of upkeep, whichever process makes them. 0: none, unless it is asked for. */
  readonly upkeepIntervalMs: number;
  /** For how long deleted sessions can be brought back. 0: they are deleted for good. */
  readonly trashMs: number;
  /** Live sessions at once. */
  readonly maxSessions: number;
  readonly maxMessageBytes: number;
  readonly maxEntryBytes: number;
  /** Budget of the conversation that an agent without memory is given. */
  readonly handoverBytes: number;
  /** Whether prompts that begin with `/sidecar` are answered by us. */
  readonly commands: "on" | "off";
  /** Whether what a session knows of its files is kept when a turn has ended. */
  readonly contextSnapshots: "on" | "off";
  readonly contextNote: ContextNote;
  /** Whether folders of known files are watched for that. */
  readonly contextWatch: "on" | "off";
  readonly leaseTtlMs: number;
  /** How often in a row a dead agent is started again, and the pause before the first try (it doubles). */
  readonly agentRestart: { readonly attempts: number; readonly backoffMs: number };
  /** Whether the user's other processes on this machine can ask what this one does. */
  readonly endpoint: "on" | "off";
  /** Whether it is recorded who did what. */
  readonly audit: AuditMode;
  /** Absent: in the user's folder for such. */
  readonly auditFile?: string;
  /** Where the key is that heads of sessions are signed with in it. */
  readonly auditSigningKey?: string;
  /** A file of it that is larger is put aside, and so many of those are kept. */
  readonly auditBytes: number;
  readonly auditFiles: number;
  readonly logLevel: LogLevel;
  /** Absent: stderr. */
  readonly logFile?: string;
  /** Absent: the built-in echo agent. */
  readonly agent?: AgentCommand;
}
