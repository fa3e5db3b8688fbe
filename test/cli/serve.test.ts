import fs from "node:fs";
import path from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { run } from "../../src/cli/run.ts";
import { binary, hasTerminal, onTerminal as shell, scratchFolder } from "./harness.ts";
import { SidecarError } from "../../src/base/errors.ts";
import { placeOf } from "../../src/cli/defect-place.ts";

const folder = scratchFolder();

/** Runs a command line with streams of which some are a terminal. */
async function onTerminal(argv: readonly string[], terminal: { input: boolean; output: boolean }) {
  const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const env = { XDG_CONFIG_HOME: "/nonexistent", ACP_SIDECAR_STORE: "memory:" };
  input.end();
  const status = await run(argv, {
    input: Object.assign(input, { isTTY: terminal.input }),
    output: Object.assign(output, { isTTY: terminal.output }),
    errors,
    env,
    binary,
  });
  return { status, out: String(output.read() ?? ""), err: String(errors.read() ?? "") };
}

/** An agent that writes down how it was started, and ends with a status of its own. */
function recorder(file: string): string[] {
  const script = `require("node:fs").writeFileSync(${JSON.stringify(file)}, JSON.stringify(process.argv.slice(1)));
    process.exitCode = 5;`;
  return [process.execPath, "-e", script, "acp"];
}

describe("acp-sidecar on a terminal", () => {
  it("runs the agent itself, as a login of the agent's wants it: its words, the terminal, its status", async () => {
    const file = path.join(folder, "login");
    const { status, out, err } = await onTerminal(["--", ...recorder(file), "--login", "claude ai"], {
      input: true,
      output: true,
    });
    expect(status).toBe(5);
    expect(JSON.parse(fs.readFileSync(file, "utf8"))).toEqual(["acp", "--login", "claude ai"]);
    expect([out, err]).toEqual(["", expect.stringContaining("running") as string]);
  });

  // Without `script` there is no terminal to be had.
  it.skipIf(!hasTerminal)("logs in words what a person would read there, and JSON elsewhere", () => {
    const agent = path.join(folder, "chatty.mjs");
    fs.writeFileSync(
      agent,
      'console.log("no message"); process.stdin.resume(); process.stdin.on("end", () => process.exit(0));',
    );
    const serve = `sleep 1 | $P --store memory: -- ${process.execPath} ${agent} > /dev/null`;
    const line =
      /^acp-sidecar \d\d:\d\d:\d\d warn: the agent wrote something to its stdout that is no message \(.*count=1\)$/m;
    expect(shell(serve).shown).toMatch(line);
    expect(shell(`${serve} 2> ${folder}/log; cat ${folder}/log`).shown).toMatch(
      /^\{"level":"warn",.*no message/m,
    );
  });

  it("says how it is meant when there is no agent to run, and serves when only one of its streams is one", async () => {
    const both = await onTerminal([], { input: true, output: true });
    expect([both.status, both.err]).toEqual([
      0,
      expect.stringContaining("waits for an ACP client") as string,
    ]);
    const file = path.join(folder, "served");
    const piped = await onTerminal(["--", ...recorder(file)], { input: true, output: false });
    expect(piped.status).toBe(0);
    expect(piped.err).toContain("waits for an ACP client");
  });
});

describe("a defect that nobody has handled", () => {
  it("is told by its kind and its place, without its words: they may quote a secret", () => {
    const told = placeOf(new TypeError("hunter2 is no number (at hunter2:1:2)\n    at hunter2:1:2"));
    expect(told).toMatch(/^TypeError at serve\.test\.ts:\d+:\d+$/);
    expect(placeOf(new SidecarError("STORE_FAILED", "hunter2"))).toMatch(
      /^STORE_FAILED at [\w.]+\.ts:\d+:\d+$/,
    );
    expect(placeOf("hunter2")).toBe("string");
  });
});
