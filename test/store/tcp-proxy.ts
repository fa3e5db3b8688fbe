/** A TCP proxy that can be cut: how a server goes away, and comes back, without being stopped. */
import { once } from "node:events";
import { createServer, connect, type AddressInfo, type Socket } from "node:net";
import { Transform } from "node:stream";

export interface TcpProxy {
  readonly port: number;
  /** Breaks every connection and refuses new ones until `restore`. */
  readonly cut: () => Promise<void>;
  readonly restore: () => Promise<void>;
  /** Breaks every connection when `bytes` more have come from the server, then takes new ones at once. */
  readonly breakAfter: (bytes: number) => void;
  /** From now on bytes reach the server at this pace only. */
  readonly slow: (bytesPerMs: number) => void;
  /** Lets nothing from the server through any more, without breaking a connection. */
  readonly mute: (muted: boolean) => void;
  readonly close: () => Promise<void>;
}

export async function tcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let bytesLeft = Infinity;
  let muted = false;
  let pace = Infinity;
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const server = createServer((client) => {
    const upstream = connect(target);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      // A broken pair is what this proxy is for.
      socket.on("error", () => socket.destroy());
      socket.on("close", () => (client.destroy(), upstream.destroy(), sockets.delete(socket)));
    }
    const paced = new Transform({
      transform: (chunk: Buffer, _, done) => {
        if (pace === Infinity) done(null, chunk);
        else setTimeout(() => done(null, chunk), chunk.length / pace);
      },
    });
    client.pipe(paced).pipe(upstream);
    upstream.on("data", (chunk) => {
      if (muted) return;
      bytesLeft -= chunk.length;
      if (bytesLeft > 0) return void client.write(chunk);
      bytesLeft = Infinity;
      breakAll();
    });
  });
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const stop = () => new Promise<void>((resolve) => server.close(() => resolve()));
  const cut = async () => {
    const stopped = stop();
    breakAll();
    await stopped;
  };
  return {
    port,
    cut,
    restore: () => listen(port),
    breakAfter: (bytes) => void (bytesLeft = bytes),
    slow: (bytesPerMs) => void (pace = bytesPerMs),
    mute: (value) => void (muted = value),
    close: async () => {
      if (server.listening) await cut();
    },
  };
}
