/** The servers that the network stores are tested against, named by the environment. */
import { describe, it } from "vitest";

/** `describe` when the server is there; when it is not named, one line that says how to run the tests. */
export function describeServer(variable: string, defaultPort: number, body: (url: string) => void): void {
  const url = process.env[variable];
  if (url !== undefined && url !== "") return body(url);
  const advice = `set ${variable}: see compose.yaml, or run: eval "$(bash .ci/servers.sh)"`;
  if (process.env["CI"] !== "true") {
    console.warn(`Not run for want of a server: ${advice}`);
    describe.skip(`needs a server: ${advice}`, () => void it("is skipped"));
    return;
  }
  describe(`needs a server on port ${defaultPort}`, () => {
    it("is not skipped in CI", () => {
      throw new Error(`CI runs no test without its servers: ${advice}`);
    });
  });
}

/** Where a URL's server listens. */
export function addressOf(url: string, defaultPort: number): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname || "127.0.0.1", port: Number(port || defaultPort) };
}

/** The same URL, through another port of this host. */
export function throughPort(url: string, port: number): string {
  const changed = new URL(url);
  changed.hostname = "127.0.0.1";
  changed.port = String(port);
  return changed.toString();
}
