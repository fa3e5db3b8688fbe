/** `http --open`, where what opens browsers cannot. */
import fs from "node:fs";
import path from "node:path";
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { withBrowser } from "../../src/cli/browser.ts";
import { scratchFolder } from "./harness.ts";

const folder = scratchFolder();
const view = { url: "http://127.0.0.1:7433/", secret: "acps_secret" };
const program = process.platform === "darwin" ? "open" : "xdg-open";

async function told(isTerminal: boolean, env: Record<string, string>): Promise<string> {
  const errors = new PassThrough({ encoding: "utf8" });
  let text = "";
  await withBrowser(view, { env, errors, isTerminal }, async () => {
    for await (const piece of errors) {
      text += String(piece);
      if (text.includes("acp-sidecar: ")) return;
    }
  });
  return text;
}

// There cmd opens it, which is always there.
it.skipIf(process.platform === "win32")("says that no browser was opened, and what to do", async () => {
  fs.writeFileSync(path.join(folder, program), "#!/bin/sh\nexit 3\n", { mode: 0o755 });
  const env = { PATH: `${folder}:/bin:/usr/bin` };
  expect(await told(false, env)).toBe(
    `acp-sidecar: ${program} could not open a browser (status 3): open http://127.0.0.1:7433/ yourself, with a token that acp-sidecar token create makes\n`,
  );
  expect(await told(true, env)).toBe(
    `Open in a browser: http://127.0.0.1:7433/#token=acps_secret\nacp-sidecar: ${program} could not open a browser (status 3): open the address above yourself\n`,
  );
  expect(await told(false, { PATH: path.join(folder, "none") })).toMatch(/^acp-sidecar: There is no /);
});
