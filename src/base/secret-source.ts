/** Where secrets come from: `file:PATH`, `env:NAME` or `command:PROGRAM`. Nothing of one is ever in a message. */
import { exec, type ExecException } from "node:child_process";
import { open, type FileHandle } from "node:fs/promises";
import { SidecarError, reasonOf } from "./errors.ts";

export type Secret = "key" | "token";

const codes = { key: "KEY_INVALID", token: "TOKEN_INVALID" } as const;
const maxTextBytes = 1024;
/** Programs may have much to say on stderr. */
const maxSaidBytes = 1 << 20;
const commandTimeoutMs = 60_000;

interface Reading {
  /** Whether a file with this text must be nobody else's to read; every one, unless told. */
  readonly isSecret?: (text: string) => boolean;
  /** For how long a command may run; a minute, unless told: somebody may have to type a password. */
  readonly timeoutMs?: number;
}

/** What stands there. Errors: `KEY_INVALID`, `TOKEN_INVALID` with the source, and how to mend it. */
export async function textFrom(
  source: string,
  what: Secret,
  { isSecret = () => true, timeoutMs = commandTimeoutMs }: Reading = {},
): Promise<string> {
  const colon = source.indexOf(":");
  const [scheme, place] = [source.slice(0, colon), source.slice(colon + 1)];
  if (scheme === "file") return fromFile(place, what, isSecret);
  return scheme === "env" ? fromVariable(place, what) : fromCommand(place, what, timeoutMs);
}

async function fromFile(path: string, what: Secret, isSecret: (text: string) => boolean): Promise<string> {
  const file = await open(path).catch((error: unknown) => {
    throw invalid(what, `The ${what}'s file ${path} cannot be read: ${reasonOf(error)}`, error);
  });
  try {
    const about = await file.stat();
    const { mode, size } = about;
    // A pipe is what a shell's <(command) gives.
    if (!about.isFile() && !about.isFIFO())
      throw invalid(what, `The ${what}'s file ${path} is no file; name the one that holds the ${what}`);
    const text = size > maxTextBytes ? "" : await beginningOf(file);
    if (process.platform !== "win32" && (mode & 0o077) !== 0 && isSecret(text))
      throw invalid(what, `The ${what}'s file ${path} can be read by others; run: chmod 600 ${path}`);
    return text;
  } finally {
    await file.close();
  }
}

/** A pipe may never end. */
async function beginningOf(file: FileHandle): Promise<string> {
  const text = file.createReadStream({ encoding: "utf8", end: maxTextBytes, autoClose: false });
  let all = "";
  for await (const part of text) all += String(part);
  return all.length > maxTextBytes ? "" : all;
}

function fromVariable(name: string, what: Secret): string {
  const text = process.env[name];
  if (text !== undefined && text !== "") return text;
  throw invalid(what, `The environment variable ${name}, which is to hold the ${what}, is not set`);
}

/** Run by the shell, as a person would type it. What it says on stderr is nobody's to repeat. */
async function fromCommand(command: string, what: Secret, timeout: number): Promise<string> {
  // Not every program ends when it is asked to.
  const options = { timeout, killSignal: "SIGKILL", maxBuffer: maxSaidBytes, windowsHide: true } as const;
  return new Promise((resolve, reject) => {
    const child = exec(command, options, (error, stdout) => {
      const why = whyNot(error, stdout, what, timeout);
      if (why === undefined) resolve(stdout);
      else
        reject(
          invalid(what, `The ${what}'s command ${why}; run it by hand and see: ${shownCommand(command)}`),
        );
    });
    child.stdin?.end();
  });
}

function whyNot(
  error: ExecException | null,
  stdout: string,
  what: Secret,
  timeoutMs: number,
): string | undefined {
  const code: unknown = error?.code;
  if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER" || stdout.length > maxTextBytes)
    return `printed more than a ${what} has`;
  if (error?.killed === true) return `has not ended within ${timeoutMs / 1000} s`;
  if (error !== null) return typeof code === "number" ? `ended with ${code}` : "ended with a signal";
  return stdout.trim().includes("\n") ? `printed several lines, and must print the ${what} alone` : undefined;
}

/** Arguments of a command may be secret, and so may variables be that are set before it. */
function shownCommand(command: string): string {
  return /^\s*([\w./~+-]+)(?:\s|$)/.exec(command)?.[1] ?? "it";
}

export function shownSource(source: string): string {
  return source.startsWith("command:")
    ? `command:${shownCommand(source.slice("command:".length))} …`
    : source;
}

function invalid(what: Secret, message: string, cause?: unknown): SidecarError {
  return new SidecarError(codes[what], message, cause === undefined ? {} : { cause });
}
