/** Histories brought in: a bundle that is sent, or those of agents of this machine. */
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { SidecarError } from "../../base/errors.ts";
import { scratchFolder } from "../../base/scratch.ts";
import type { HistoryReader, Problem } from "../../history/import/native.ts";
import { importHistory, type Told } from "../../history/import/run.ts";
import { sources } from "../../history/import/sources.ts";
import { bodyFor, piecesOf, tooLarge } from "../body.ts";
import { Refusal } from "../problems.ts";
import { route, type Answer, type Call, type Route } from "../route.ts";
import * as shapes from "../shapes/history-wide-schema.ts";
import { exportTypes } from "./wide.ts";

type Wish = (typeof shapes)["importWish"]["_zod"]["output"];

const bundleType = exportTypes.bundle;
const mostBundleBytes = 4 * 1024 ** 3;
const [mostTold, mostProblems] = [1000, 100];

export const importRoute: Route = route({
  method: "post",
  path: "/api/import",
  name: "importSessions",
  summary: "brings in a bundle, or the histories of another agent on this machine",
  notes:
    "A bundle is the body itself, as export has written it. Histories of agents are read where those keep them, with the rights " +
    "of this process: only a token of scope admin without limits may ask for that.",
  body: shapes.importWish,
  takesAnything: [bundleType, "application/json"],
  answer: shapes.importResult,
  problems: [409, 422],
  handle: bringIn,
});

async function bringIn(call: Call): Promise<Answer> {
  const type = call.request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === bundleType) return fromBundle(call);
  if (type !== "application/json")
    throw new Refusal(415, `Send a bundle as ${bundleType}, or application/json that names a source`);
  await assertMayRead(call);
  const { takesAnything: _, ...json } = importRoute;
  const wish = (await bodyFor(json, call.request, 1 << 16)) as Wish;
  const reader = await sources[wish.source].load();
  return brought(call, reader, reader.places(withHome(call.house.env)), wish);
}

/** Written beside first, because a bundle is read twice: to see that it is whole, and to bring it in. */
async function fromBundle(call: Call): Promise<Answer> {
  const folder = scratchFolder("import");
  try {
    const file = path.join(folder, "sent.acpbundle");
    const body = Readable.from(bounded(call.request), { objectMode: false });
    await pipeline(body, createWriteStream(file, { mode: 0o600 }), { signal: call.signal });
    const { bundles } = await import("../../history/import/bundle/reader.ts");
    return await brought(call, bundles, [file], {});
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* bounded(request: Request): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of piecesOf(request)) {
    bytes += piece.byteLength;
    if (bytes > mostBundleBytes) throw tooLarge(mostBundleBytes);
    yield piece;
  }
}

async function brought(
  { guest, signal }: Call,
  reader: HistoryReader,
  places: readonly string[],
  { sinceMs, isDryRun = false }: Partial<Wish>,
): Promise<Answer> {
  const imported: string[] = [];
  const problems: Omit<Problem, "path">[] = [];
  const result = await importHistory({
    ...{ registry: guest.registry, reader, places, isDryRun, signal },
    ...(sinceMs !== undefined && { sinceMs }),
    onSession: ({ id, what }: Told) => {
      if (id !== undefined && what !== "present" && imported.length < mostTold) imported.push(id);
    },
    onProblem: ({ line, reason }) => {
      if (problems.length < mostProblems) problems.push({ reason, ...(line !== undefined && { line }) });
    },
  });
  return { body: { ...result, imported, problems } };
}

/** What stands in folders of the user's is not for whoever was lent a part of the sessions. Errors: `FORBIDDEN`. */
async function assertMayRead({ guest }: Call): Promise<void> {
  const { token } = await guest.access();
  if (token?.isOwners === true && token.sessions === undefined && token.folder === undefined) return;
  throw new SidecarError(
    "FORBIDDEN",
    "Only a token of scope admin, without limits, reads the histories of this machine's agents",
  );
}

function withHome(env: Call["house"]["env"]): Call["house"]["env"] {
  return env["HOME"] === undefined ? { ...env, HOME: os.homedir() } : env;
}
