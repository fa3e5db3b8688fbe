/** Logging by pino, loaded with the first record that is written: most runs never write one. */
import { createRequire } from "node:module";
import fs from "node:fs";
import type * as PinoModule from "pino";
import { reasonOf, SidecarError } from "./errors.ts";
import { redact, redactUrls } from "./redact.ts";
import type { Secrets } from "./secrets.ts";
import { visible, visibleLine } from "./visible.ts";

/** Facts beside a message. Never prompt text or file contents above `debug`; MCP secrets at no level. */
type LogFields = Readonly<Record<string, unknown>>;

/**
 * What every part logs through. Records are written before the call returns, so that a crash loses none; those that
 * nobody reads on stderr are dropped, so that nobody waits for that.
 */
export interface Logger {
  error(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  /** Whether records of `level` are written: ask before building costly fields. */
  writes(level: LogRecordLevel): boolean;
  close(): void;
}

type LogRecordLevel = "error" | "warn" | "info" | "debug";

const ranks = { silent: 0, error: 1, warn: 2, info: 3, debug: 4 } as const;

/** Where records go, a line each. */
interface LogTarget {
  write(line: string): unknown;
}

/**
 * Writes JSON lines to `file` (mode 0600, appended to), else to `target`, else to stderr; never to stdout.
 * Errors: `CONFIG_INVALID` when the file cannot be opened.
 */
export function createLogger(options: {
  readonly level: LogRecordLevel | "silent";
  readonly file?: string;
  readonly target?: LogTarget;
  /** A person reads the target: lines of words, not JSON. A file has JSON all the same. */
  readonly readable?: boolean;
  /** Taken out of every record. */
  readonly secrets?: Secrets;
}): Logger {
  const { level, file, target, secrets } = options;
  const reader = options.readable === true && file === undefined ? target : undefined;
  // What an agent has said may stand in a record, and whoever reads it may be on a terminal.
  const hide = (text: string) => visible(secrets?.hide(text) ?? text);
  const fd = file === undefined || level === "silent" ? 2 : openLog(file);
  let pino: PinoModule.Logger | undefined;
  let closed = false;
  const write = (at: LogRecordLevel, fields: LogFields, message: string) => {
    if (ranks[at] > ranks[level] || closed) return;
    if (reader !== undefined) {
      reader.write(readableLine(at, redact(fields, hide), redactUrls(hide(message))));
      return;
    }
    pino ??= startPino(level, fd === 2 ? target : undefined, fd);
    pino[at](redact(fields, hide) as object, redactUrls(hide(message)));
  };
  return {
    error: (fields, message) => write("error", fields, message),
    warn: (fields, message) => write("warn", fields, message),
    info: (fields, message) => write("info", fields, message),
    debug: (fields, message) => write("debug", fields, message),
    writes: (at) => !closed && ranks[at] <= ranks[level],
    close: () => {
      if (closed) return;
      closed = true;
      if (fd !== 2) fs.closeSync(fd);
    },
  };
}

/** `14:05:09 warn: what happened (reason=gone, count=3)` */
function readableLine(at: LogRecordLevel, fields: unknown, message: string): string {
  const time = new Date().toTimeString().slice(0, 8);
  const facts = Object.entries(fields as object).flatMap(([name, value]: [string, unknown]) =>
    value === undefined ? [] : [`${name}=${typeof value === "string" ? value : JSON.stringify(value)}`],
  );
  const line = `${time} ${at}: ${message}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}`;
  // What an agent has said may stand in it: a terminal must not obey it.
  return `acp-sidecar ${visibleLine(line)}\n`;
}

/** Writes nothing. */
export const silentLogger: Logger = createLogger({ level: "silent" });

function openLog(file: string): number {
  try {
    return fs.openSync(file, "a", 0o600);
  } catch (error) {
    throw new SidecarError(
      "CONFIG_INVALID",
      `--log-file ${file} cannot be written (${reasonOf(error)}); allowed: a file in an existing, writable folder`,
      { cause: error },
    );
  }
}

function startPino(
  level: PinoModule.LevelWithSilent,
  target: LogTarget | undefined,
  fd: number,
): PinoModule.Logger {
  const { pino } = createRequire(import.meta.url)("pino") as typeof PinoModule;
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    target ?? writerTo(pino, fd),
  );
}

function writerTo(pino: typeof PinoModule.pino, fd: number): LogTarget & PinoModule.DestinationStream {
  const destination = pino.destination({ dest: fd, sync: true });
  // A full disk or a closed stderr must not end the sessions; there is nowhere left to say so.
  destination.on("error", () => undefined);
  return destination;
}
