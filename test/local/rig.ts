/** Processes that can be asked, in this one; and the places of a machine of a test's own. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { silentLogger, type Logger } from "../../src/base/log.ts";
import { Meter } from "../../src/base/meter.ts";
import type { LiveSessionStatus } from "../../src/local/answers.ts";
import { openLocal, type Local, type Subject } from "../../src/local/serving.ts";

export interface Machine {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Sockets that are there. */
  sockets(): string[];
  remove(): void;
}

export function machine(): Machine {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-local-"));
  const runtime = path.join(folder, "run");
  fs.mkdirSync(runtime, { mode: 0o700 });
  const env = {
    XDG_RUNTIME_DIR: runtime,
    XDG_STATE_HOME: path.join(folder, "state"),
    XDG_CACHE_HOME: path.join(folder, "cache"),
    TMPDIR: folder,
    HOME: folder,
  };
  const sockets = () =>
    fs
      .readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".sock"))
      .map((name) => path.join(folder, name));
  return { folder, env, sockets, remove: () => fs.rmSync(folder, { recursive: true, force: true }) };
}

export interface Asked extends Local {
  readonly meter: Meter;
  readonly ended: string[];
}

/** A process of this one's number. */
export async function process_(
  { env }: Machine,
  subject: Partial<Subject> & {
    readonly sessions?: readonly LiveSessionStatus[];
    readonly log?: Logger;
  } = {},
): Promise<Asked> {
  const meter = new Meter();
  const ended: string[] = [];
  const sessions = subject.sessions ?? [{ id: "S1", clients: 1, waiting: 0, turnSinceMs: 1000 }];
  const local = await openLocal(
    {
      kind: "serve",
      agent: "echo",
      store: "memory:",
      meter,
      log: silentLogger,
      facts: () => ({ sessions, heartbeatAtMs: 5, client: { name: "tester", version: "1" } }),
      endSession: async (id) => {
        ended.push(id);
        return sessions.some((each) => each.id === id);
      },
      endProcess: async () => void ended.push("process"),
      ...subject,
    },
    { env },
  );
  return { meter, ended, own: local.own, close: () => local.close() };
}

/** What comes back for lines that are sent as they are. */
export async function exchange(socket: string, sent: string | Buffer): Promise<string[]> {
  const stream = connect(socket);
  stream.on("error", () => undefined);
  stream.end(sent);
  const lines: string[] = [];
  for await (const line of createInterface(stream)) lines.push(line);
  return lines;
}
