/** Entry of the bundle: the only place that knows the process's own streams and ends it. */
import { fileURLToPath } from "node:url";
import { run } from "./run.ts";

const { stdin, stdout, stderr, env, argv } = process;

// Whoever reads us may go away first, as `head` does; the status says what we did.
stdout.on("error", () => undefined);
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
// An open stdin would keep us alive; what was written is out when the callback comes, if anybody reads it.
const end = () => process.exit(status);
stdout.write("", () => {
  stderr.write("", end);
  setTimeout(end, lastWordsMs);
});
