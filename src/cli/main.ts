/** Entry of the bundle: the only place that knows the process's own streams and ends it. */
import { fileURLToPath } from "node:url";
import { keepCompiled } from "./compiled.ts";
import { lostOutput } from "./lost-output.ts";
import { run } from "./run.ts";

// Before anything else is loaded.
keepCompiled();
const { stdin, stdout, stderr, env, argv } = process;

let lost: string | undefined;
stdout.on("error", (error) => {
  lost ??= lostOutput(error, stdout.isTTY);
});
stderr.on("error", () => undefined);

/** How long our last words on stderr wait for somebody who reads them. */
const lastWordsMs = 300;

const status = await run(argv.slice(2), {
  input: stdin,
  output: stdout,
  errors: stderr,
  env,
  binary: fileURLToPath(new URL("../bin/acp-sidecar.js", import.meta.url)),
  isTerminal: stdin.isTTY && stderr.isTTY,
  columns: stdout.isTTY ? stdout.columns || 80 : undefined,
  errorColumns: stderr.isTTY ? stderr.columns || 80 : undefined,
});
const end = () => process.exit(status === 0 && lost !== undefined ? 1 : status);
// An open stdin would keep us alive; what was written is out when the callback comes, if anybody reads it.
stdout.write("", (error) => {
  // Of a write just before it the event comes later.
  if (error) lost ??= lostOutput(error, stdout.isTTY);
  stderr.write(lost === undefined ? "" : `acp-sidecar: ${lost}\n`, end);
  setTimeout(end, lastWordsMs);
});
