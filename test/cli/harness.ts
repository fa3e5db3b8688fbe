/** The command line run inside the test's process, with streams of its own. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { run } from "../../src/cli/run.ts";

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

const root = fileURLToPath(new URL("../../", import.meta.url));
export const binary = path.join(root, "bin", "acp-sidecar.js");

/** A folder that is gone after the tests of the file. */
export function scratchFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-cli-"));
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a command line as if typed by a user without any configuration. */
export async function cli(
  argv: readonly string[],
  options: {
    readonly env?: Record<string, string>;
    readonly columns?: number;
    /** What somebody types who sits at a terminal. */
    readonly typed?: string;
  } = {},
): Promise<Ran> {
  const [output, errors] = [new PassThrough(), new PassThrough()];
  const texts = [textOf(output), textOf(errors)];
  const status = await run(argv, {
    input: new PassThrough().end(options.typed ?? ""),
    isTerminal: options.typed !== undefined,
    output,
    errors,
    binary,
    env: {
      XDG_CONFIG_HOME: "/nonexistent",
      XDG_STATE_HOME: process.env["XDG_STATE_HOME"] ?? "",
      ...options.env,
    },
    columns: options.columns,
  });
  output.end();
  errors.end();
  const [out = "", err = ""] = await Promise.all(texts);
  return { status, out, err };
}

/** Whether this machine can run a program on a terminal of its own. */
export const hasTerminal = spawnSync("script", ["-qec", "true", "/dev/null"]).status === 0;

/** Runs the program as it is built, or a shell's line with it as `$P`, on a terminal; returns what it shows. */
export function onTerminal(
  line: string,
  { columns = 80, env = {} }: { readonly columns?: number; readonly env?: Record<string, string> } = {},
): { readonly status: number | null; readonly shown: string } {
  const { status, stdout } = spawnSync("script", ["-qec", `stty cols ${columns}; ${line}`, "/dev/null"], {
    encoding: "utf8",
    input: "",
    env: {
      PATH: process.env["PATH"],
      HOME: "/nonexistent",
      TERM: "xterm",
      LANG: "C.UTF-8",
      P: `${process.execPath} ${binary}`,
      ...env,
    },
  });
  return { status, shown: stdout.replaceAll("\r\n", "\n") };
}

async function textOf(stream: PassThrough): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}
