/** The web view in a browser of the user's, as long as `use` goes on. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { scratchFolder } from "../base/scratch.ts";
import type { Io } from "./command.ts";

/**
 * In the fragment, which no browser sends to anybody; and by way of a file that only its user can read, because what a
 * program is started with everybody sees.
 */
export async function withBrowser(
  { url, secret }: { readonly url: string; readonly secret: string },
  io: Pick<Io, "env" | "errors" | "isTerminal">,
  use: () => Promise<void>,
): Promise<void> {
  const address = `${url}#token=${secret}`;
  const isShown = io.isTerminal === true;
  if (isShown) io.errors.write(`Open in a browser: ${address}\n`);
  const folder = scratchFolder("open");
  try {
    const file = path.join(folder, "open.html");
    const page = `<!doctype html><meta charset="utf-8"><script>location.replace(${JSON.stringify(address)})</script>`;
    fs.writeFileSync(file, page, { mode: 0o600 });
    // Where nobody sees the token, it is not written: stderr may be a file that others read.
    const instead = isShown
      ? "open the address above yourself"
      : `open ${url} yourself, with a token that acp-sidecar token create makes`;
    show(file, io, (why) => io.errors.write(`acp-sidecar: ${why}: ${instead}\n`));
    await use();
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** What opens browsers ends at once where there is none, or as late as the browser. */
function show(file: string, { env }: Pick<Io, "env">, onFailure: (why: string) => void): void {
  const [program = "", ...args] = browserFor(process.platform);
  const child = spawn(program, [...args, file], { stdio: "ignore", detached: true, env });
  child.once("error", () => onFailure(`There is no ${program} to open a browser with`));
  child.once("exit", (status) => {
    if (status !== null && status !== 0) onFailure(`${program} could not open a browser (status ${status})`);
  });
  child.unref();
}

function browserFor(platform: NodeJS.Platform): readonly string[] {
  if (platform === "darwin") return ["open"];
  return platform === "win32" ? ["cmd", "/c", "start", '""'] : ["xdg-open"];
}
