/** Where the programs under test are. */
import { fileURLToPath } from "node:url";

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

export const root = fromRoot("");
/** The program under test; ACP_TEST_BIN names another, an installed package for instance. */
export const sidecarBin = process.env["ACP_TEST_BIN"] ?? fromRoot("bin/acp-sidecar.js");

/** A fixture agent's command: `["agent.mjs", "--load"]` names a file of test/fixtures/agents and its arguments. */
export function fixtureCommand(agent: readonly string[]): string[] {
  const [file, ...args] = agent;
  return [process.execPath, fromRoot(`test/fixtures/agents/${file}`), ...args];
}
