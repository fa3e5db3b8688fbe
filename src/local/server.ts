/** The endpoint of a process: a socket on which it answers to the processes of its user, and to nobody else. */
import { chmodSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { SidecarError } from "../base/errors.ts";
import { isRecord } from "../base/json.ts";
import { silentLogger } from "../base/log.ts";
import { Connection } from "../rpc/endpoint.ts";
import type { EndAnswer, EndParams, FiguresAnswer, ProcessStatus } from "./answers.ts";

/** What is answered. Another method is another member: joining a live session will be some. */
export interface Answers {
  status(): ProcessStatus;
  figures(): Promise<FiguresAnswer>;
  /** Errors: those of the session's end. */
  end(params: EndParams): Promise<EndAnswer>;
}

/** What is asked is short. */
const maxMessageBytes = 64 * 1024;
const maxConnections = 32;
/** Who asks nothing for so long is sent away. */
const idleMs = 30_000;

export class LocalServer {
  readonly path: string;
  /** For its own process, which needs no socket. */
  readonly answers: Answers;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(path: string, answers: Answers) {
    this.path = path;
    this.answers = answers;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
    this.#server.maxConnections = maxConnections;
  }

  /** Keeps no process alive. Errors: the system's own. */
  static async open(path: string, answers: Answers): Promise<LocalServer> {
    const opened = new LocalServer(path, answers);
    const server = opened.#server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ path }, resolve);
    });
    server.unref();
    // Of what comes later (no more descriptors, say) there is nobody to tell; who asks is not answered.
    server.on("error", () => undefined);
    // Its folder has kept everybody else out so far.
    if (process.platform !== "win32") chmodSync(path, 0o600);
    return opened;
  }

  /** Its socket is gone on return. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.unref();
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
    let open = 0;
    socket.setTimeout(idleMs, () => {
      if (open === 0) socket.destroy();
    });
    const connection: Connection = new Connection(
      // A stream that is read to its end is closed both ways, and an answer may be owed. No log: whoever connects could fill it.
      { input: socket.pipe(new PassThrough()), output: socket, maxMessageBytes, log: silentLogger },
      {
        request: (method, params) => {
          open += 1;
          return this.#answer(method, params).finally(() => (open -= 1));
        },
        notification: () => undefined,
        invalid: ({ id, error }) => connection.sendError(id, error),
      },
    );
    void connection.ended.then(() => connection.idle()).then(() => connection.endOutput());
  }

  async #answer(method: string, params: unknown): Promise<unknown> {
    switch (method) {
      case "status":
        return this.answers.status();
      case "figures":
        return this.answers.figures();
      case "end":
        return this.answers.end(endParams(params));
      default:
        throw new SidecarError("METHOD_NOT_FOUND", `An endpoint has no method ${JSON.stringify(method)}`);
    }
  }
}

/** Errors: `INVALID_PARAMS`. */
function endParams(params: unknown): EndParams {
  const { sessionId, process: all } = isRecord(params) ? params : {};
  if (typeof sessionId === "string" && all === undefined) return { sessionId };
  if (all === true && sessionId === undefined) return { process: true };
  throw new SidecarError("INVALID_PARAMS", "end takes { sessionId } or { process: true }");
}
