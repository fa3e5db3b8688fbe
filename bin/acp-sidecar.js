#!/usr/bin/env node
import("../dist/cli.js").catch((error) => {
  const missing = error?.code === "ERR_MODULE_NOT_FOUND" && String(error.message).includes("cli.js");
  process.stderr.write(
    missing ? "acp-sidecar is not built yet; run: npm run build\n" : `${error?.stack ?? error}\n`,
  );
  process.exitCode = 1;
});
