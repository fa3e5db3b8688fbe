/** Where the server is reached: an address of this machine, or a socket in its file system. */
import { chmodSync, existsSync, lstatSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import path from "node:path";
import { reasonOf, SidecarError, systemCodeOf } from "../base/errors.ts";

export type Listen = { readonly host: string; readonly port: number } | { readonly path: string };

export const defaultListen = "127.0.0.1:7433";
/** What systems take for the path of a socket, in bytes: the shortest of them. */
const longestPath = process.platform === "linux" ? 107 : 103;

const allowed = `allowed: 127.0.0.1:PORT, [::1]:PORT, localhost:PORT, unix:PATH`;

/** Errors: `USAGE`. */
export function listenFrom(text: string): Listen {
  if (text.startsWith("unix:")) return socketAt(path.resolve(text.slice("unix:".length)));
  const [, bracketed, name, port] = /^(?:\[([\da-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? name;
  if (host === undefined || Number(port) > 65_535)
    throw new SidecarError("USAGE", `--listen is ${JSON.stringify(text)}; ${allowed}`);
  if (!isOfThisMachine(host))
    throw new SidecarError(
      "USAGE",
      `--listen is ${JSON.stringify(text)}, which others could reach unencrypted: listen on 127.0.0.1 and put a proxy with TLS before it`,
    );
  return { host, port: Number(port) };
}

function socketAt(place: string): Listen {
  const bytes = Buffer.byteLength(place);
  if (bytes <= longestPath) return { path: place };
  throw new SidecarError(
    "USAGE",
    `The path of the socket has ${bytes} bytes, more than the ${longestPath} that this system takes; use a shorter one`,
  );
}

function isOfThisMachine(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Settles when somebody can connect. Errors: `USAGE` for a place that is taken or not ours to take. */
export async function listening(server: Server, at: Listen): Promise<void> {
  if ("path" in at) await makeRoom(at.path);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen("path" in at ? { path: at.path } : { host: at.host, port: at.port }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    throw notListening(at, error);
  }
  // Whoever gets so far needs a token all the same.
  if ("path" in at && process.platform !== "win32") chmodSync(at.path, 0o600);
}

/** `http://127.0.0.1:7433/`, or the place of the socket. */
export function addressOf(server: Server): { readonly url: string; readonly port?: number } {
  const address = server.address();
  if (address === null || typeof address === "string") return { url: `unix:${address ?? ""}` };
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return { url: `http://${host}:${address.port}/`, port: address.port };
}

/** A socket that a killed process left is in nobody's way. */
async function makeRoom(place: string): Promise<void> {
  const found = lstatSync(place, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw new SidecarError("USAGE", `${place} is there already and is no socket; name another place`);
  if (await isAnswered(place)) throw taken(place);
  rmSync(place, { force: true });
}

function isAnswered(place: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(place, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function notListening(at: Listen, error: unknown): SidecarError {
  const place = "path" in at ? at.path : `${at.host}:${at.port}`;
  // For a folder that is missing Node says EACCES.
  if ("path" in at && process.platform !== "win32" && !existsSync(path.dirname(at.path)))
    return new SidecarError(
      "USAGE",
      `There is no folder ${path.dirname(at.path)} for the socket: make it first`,
      {
        cause: error,
      },
    );
  if (systemCodeOf(error) === "EADDRINUSE") return taken(place);
  return new SidecarError(
    "USAGE",
    `Nobody can listen on ${place}: ${reasonOf(error)}; use another --listen`,
    {
      cause: error,
    },
  );
}

function taken(place: string): SidecarError {
  return new SidecarError(
    "USAGE",
    `${place} is in use, perhaps by another acp-sidecar http; end that one, or use another --listen`,
  );
}
