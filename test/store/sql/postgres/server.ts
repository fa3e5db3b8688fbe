/** A PostgreSQL server of a test's own, as a process: it asks for passwords, and its files can be harmed. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";

export interface PostgresServer {
  readonly port: number;
  /** Its files are in there. */
  readonly directory: string;
  /** In good order: all that it has is in its files. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** Where initdb and postgres are; undefined when they are not installed. */
export const postgresPrograms = programsIn();

/** The user postgres may log in over TCP with `password` only, and every page has a checksum. */
export async function startPostgres(programs: string, password: string): Promise<PostgresServer> {
  const base = mkdtempSync(join(tmpdir(), "acp-sidecar-postgres-"));
  const directory = join(base, "cluster");
  const passwordFile = join(base, "password");
  writeFileSync(passwordFile, password);
  const user = lentUser();
  if (user !== undefined) for (const path of [base, passwordFile]) chownSync(path, user.uid, user.gid);
  const settings = ["-A", "scram-sha-256", "-U", "postgres", "--pwfile", passwordFile, "-k", "--no-sync"];
  const made = spawnSync(join(programs, "initdb"), ["-D", directory, ...settings, "--no-locale"], {
    ...user,
    cwd: base,
    encoding: "utf8",
  });
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  const port = await freePort();
  let child: ChildProcess | undefined;
  const start = async () => {
    const args = ["-D", directory, "-p", `${port}`, "-c", "listen_addresses=127.0.0.1", "-k", base];
    child = spawn(join(programs, "postgres"), args, { ...user, cwd: base, stdio: "ignore" });
    await untilAnswers(port, password);
  };
  const stop = async () => {
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGINT");
    await exited;
  };
  const remove = async () => {
    await stop();
    await rm(base, { recursive: true });
  };
  await start();
  return { port, directory, stop, start, remove };
}

function programsIn(): string | undefined {
  // Debian keeps them off the path, by version.
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  const { stdout, status } = spawnSync("pg_config", ["--bindir"], { encoding: "utf8" });
  const folders = [
    ...versions.sort().map((each) => join(debian, each, "bin")),
    ...(status === 0 ? [stdout.trim()] : []),
  ];
  return folders.findLast((folder) => existsSync(join(folder, "initdb")));
}

/** PostgreSQL does not run as root: another user is lent to it. */
function lentUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const number = (what: string) => Number(spawnSync("id", [what, "postgres"], { encoding: "utf8" }).stdout);
  return { uid: number("-u"), gid: number("-g") };
}

async function untilAnswers(port: number, password: string): Promise<void> {
  for (;;) {
    const client = new pg.Client({
      host: "127.0.0.1",
      port,
      user: "postgres",
      password,
      database: "postgres",
    });
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      // Refused until it listens: that is what is waited for.
      await delay(20);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
