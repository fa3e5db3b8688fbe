/** Where secrets come from: `file:PATH`, `env:NAME` or `command:PROGRAM`. Nothing of one is ever in a message. */
import { exec } from "node:child_process";
import { open, type FileHandle } from "node:fs/promises";
import { SidecarError, reasonOf } from "./errors.ts";

export type Secret = "key" | "token";

const codes = { key: "KEY_INVALID", token: "TOKEN_INVALID" } as const;
const maxTextBytes = 1024;
const commandTimeoutMs = 60_000;

/** What stands there. Errors: `KEY_INVALID`, `TOKEN_INVALID` with the source, and how to mend it. */
export async function textFrom(source: string, what: Secret): Promise<string> {
  const colon = source.indexOf(":");
  const [scheme, place] = [source.slice(0, colon), source.slice(colon + 1)];
  if (scheme === "file") return fromFile(place, what);
  return scheme === "env" ? fromVariable(place, what) : fromCommand(place, what);
}

async function fromFile(path: string, what: Secret): Promise<string> {
  const file = await open(path).catch((error: unknown) => {
    throw invalid(what, `The ${what}'s file ${path} cannot be read: ${reasonOf(error)}`, error);
  });
  try {
    const about = await file.stat();
    const { mode, size } = about;
    // A pipe is what a shell's <(command) gives.
    if (!about.isFile() && !about.isFIFO())
      throw invalid(what, `The ${what}'s file ${path} is no file; name the one that holds the ${what}`);
    if (process.platform !== "win32" && (mode & 0o077) !== 0)
      throw invalid(what, `The ${what}'s file ${path} can be read by others; run: chmod 600 ${path}`);
    return size > maxTextBytes ? "" : await beginningOf(file);
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

/** Run by the shell, as a person would type it. */
async function fromCommand(command: string, what: Secret): Promise<string> {
  const options = { timeout: commandTimeoutMs, maxBuffer: maxTextBytes, windowsHide: true };
  return new Promise((resolve, reject) => {
    const child = exec(command, options, (error, stdout) => {
      if (error !== null) {
        const { code, killed } = error;
        const isLong = killed === true || typeof code === "string";
        const why = isLong ? "took too long or said too much" : `ended with ${code ?? "a signal"}`;
        reject(
          invalid(what, `The ${what}'s command ${why}; run it by hand and see: ${shownCommand(command)}`),
        );
      } else if (stdout.trim().includes("\n"))
        reject(invalid(what, `The ${what}'s command printed several lines; it must print the ${what} alone`));
      else resolve(stdout);
    });
    child.stdin?.end();
  });
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
