/** Where keys come from: `file:PATH`, `env:NAME` or `command:PROGRAM`. Nothing of a key is ever in a message. */
import { exec } from "node:child_process";
import { open } from "node:fs/promises";
import { SidecarError, reasonOf } from "../../base/errors.ts";
import { keyBytes, Keyring } from "./keyring.ts";

const maxTextBytes = 1024;
const commandTimeoutMs = 60_000;

/** Errors: `KEY_INVALID` with the source, and how to mend it. */
export async function keyringOf(
  encryptionKey: string,
  previousKeys: readonly string[] = [],
): Promise<Keyring> {
  const current = await keyFrom(encryptionKey);
  return new Keyring(current, await Promise.all(previousKeys.map(keyFrom)));
}

async function keyFrom(source: string): Promise<Uint8Array> {
  const colon = source.indexOf(":");
  const [scheme, place] = [source.slice(0, colon), source.slice(colon + 1)];
  const text = await (scheme === "file"
    ? fromFile(place)
    : scheme === "env"
      ? fromVariable(place)
      : fromCommand(place));
  const key = keyIn(text);
  if (key !== undefined) return key;
  throw invalid(`${shown(source)} holds no key: write one with acp-sidecar keys generate`);
}

/** 32 bytes as 64 hexadecimal digits or in base 64, on a line of its own. */
function keyIn(text: string): Uint8Array | undefined {
  const line = text.trim();
  const encoding = /^[0-9a-f]{64}$/i.test(line)
    ? "hex"
    : /^[A-Za-z0-9+/]{43}=?$/.test(line)
      ? "base64"
      : undefined;
  const key = encoding && new Uint8Array(Buffer.from(line, encoding));
  return key?.length === keyBytes ? key : undefined;
}

async function fromFile(path: string): Promise<string> {
  const file = await open(path).catch((error: unknown) => {
    throw invalid(`The key's file ${path} cannot be read: ${reasonOf(error)}`, error);
  });
  try {
    const { mode, size } = await file.stat();
    if (process.platform !== "win32" && (mode & 0o077) !== 0)
      throw invalid(`The key's file ${path} can be read by others; run: chmod 600 ${path}`);
    return size > maxTextBytes ? "" : await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

function fromVariable(name: string): string {
  const text = process.env[name];
  if (text !== undefined && text !== "") return text;
  throw invalid(`The environment variable ${name}, which is to hold the key, is not set`);
}

/** Run by the shell, as a person would type it. */
async function fromCommand(command: string): Promise<string> {
  const options = { timeout: commandTimeoutMs, maxBuffer: maxTextBytes, windowsHide: true };
  return new Promise((resolve, reject) => {
    const child = exec(command, options, (error, stdout) => {
      if (error !== null) {
        const { code, killed } = error;
        const why =
          killed === true ? "took too long or said too much" : `ended with ${String(code ?? "a signal")}`;
        reject(invalid(`The key's command ${why}; run it by hand and see: ${shownCommand(command)}`));
      } else if (stdout.trim().includes("\n"))
        reject(invalid("The key's command printed several lines; it must print the key alone"));
      else resolve(stdout);
    });
    child.stdin?.end();
  });
}

/** Arguments of a command may be secret. */
function shownCommand(command: string): string {
  return command.trim().split(/\s/, 1)[0] ?? "";
}

function shown(source: string): string {
  return source.startsWith("command:")
    ? `command:${shownCommand(source.slice("command:".length))} …`
    : source;
}

function invalid(message: string, cause?: unknown): SidecarError {
  return new SidecarError("KEY_INVALID", message, cause === undefined ? {} : { cause });
}
