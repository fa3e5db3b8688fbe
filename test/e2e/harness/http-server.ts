/** `acp-sidecar http` as a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import type { Harness } from "./harness.ts";
import { fixtureCommand, sidecarBin } from "./paths.ts";

export interface HttpServerOptions {
  readonly store: string;
  readonly args?: readonly string[];
  /** A fixture agent and its arguments; none, unless given. */
  readonly agent?: readonly string[];
}

export interface HttpAnswer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Ends with its test; whoever awaits that sees that it ends in order. */
export async function httpServer(harness: Harness, { store, args = [], agent }: HttpServerOptions) {
  const home = harness.path("home");
  mkdirSync(home, { mode: 0o700 });
  // A machine of its own.
  const places = ["HOME", "TMPDIR", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"];
  const own = Object.fromEntries(places.map((name) => [name, home]));
  const env = { ...process.env, ...own };
  const token = ["token", "create", "--name", "t", "--scope", "admin", "--json", "--store", store];
  const { secret } = JSON.parse((await harness.cli(token, { env })).stdout) as { secret: string };
  const words = ["http", "--listen", "127.0.0.1:0", "--store", store, ...args];
  const command = agent === undefined ? [] : ["--", ...fixtureCommand(agent)];
  const child = spawn(process.execPath, [sidecarBin, ...words, ...command], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  const [url = ""] = /http:\S+(?=\/)/.exec(String(said)) ?? [];
  const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
  const ask = async (method: string, path: string, body?: unknown): Promise<HttpAnswer> => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(`${url}${path}`, { method, headers, ...sent });
    const text = await answer.text();
    return { status: answer.status, json: JSON.parse(text === "" ? "{}" : text) as HttpAnswer["json"] };
  };
  const end = async (): Promise<number> => {
    const exited = child.exitCode === null ? once(child, "exit") : [child.exitCode];
    child.kill("SIGTERM");
    const [status] = (await exited) as [number];
    return status;
  };
  return {
    url,
    headers,
    env,
    own,
    home,
    pid: child.pid ?? 0,
    ask,
    end,
    [Symbol.asyncDispose]: async () => void (await end()),
  };
}
