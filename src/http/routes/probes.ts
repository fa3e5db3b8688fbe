/** What is asked about the server: is it alive, can it serve, what does this machine do. */
import { SidecarError } from "../../base/errors.ts";
import { version } from "../../base/version.ts";
import { expositionType } from "../../figures/exposition.ts";
import { machineFigures, machineStatus } from "../../local/machine.ts";
import { route, type Answer, type Call, type Route } from "../route.ts";
import * as shapes from "../shapes/probes-schema.ts";

const isOpen = true;

export const probeRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/healthz",
    name: "alive",
    summary: "this server is alive",
    ...{ isOpen, answer: shapes.alive },
    handle: async () => ({ body: { status: "alive", version }, headers: { "cache-control": "no-store" } }),
  }),
  route({
    method: "get",
    path: "/readyz",
    name: "ready",
    summary: "it can serve: its store is read and written, and all around it is as it should be",
    notes: "503 where sessions cannot be served. What is wrong is told by /api/status.",
    ...{ isOpen, answer: shapes.ready, failing: [503] },
    handle: ready,
  }),
  route({
    method: "get",
    path: "/metrics",
    name: "metrics",
    summary: "figures of all sidecars of this machine, as Prometheus reads them",
    answers: [expositionType],
    handle: metrics,
  }),
  route({
    method: "get",
    path: "/api/status",
    name: "status",
    summary: "what is well and what is not, and what runs here",
    answer: shapes.serverStatus,
    handle: status,
  }),
  route({
    method: "get",
    path: "/api/token",
    name: "tokenRights",
    summary: "what the token may do that the request has",
    answer: shapes.tokenRights,
    handle: tokenRights,
  }),
];

async function ready({ house }: Call): Promise<Answer> {
  const { status: found } = await house.probes.ready();
  const code = found === "failed" ? 503 : 200;
  return { status: code, body: { status: found }, headers: { "cache-control": "no-store" } };
}

async function metrics({ house, guest }: Call): Promise<Answer> {
  await assertNoLink(guest);
  const count = () => house.probes.sessions(guest.tokenId, () => guest.registry.count());
  const found = (await seesAll(guest))
    ? { storedSessions: await count(), ...(await house.probes.stored()) }
    : {};
  const text = await machineFigures({ env: house.env, own: house.own, found });
  return { text, headers: { "content-type": expositionType, "cache-control": "no-store" } };
}

async function status({ house, guest }: Call): Promise<Answer> {
  await assertNoLink(guest);
  const [health, sessions] = await Promise.all([house.probes.ready(), guest.registry.count()]);
  const { env, own } = house;
  const machine = (await seesAll(guest)) ? await machineStatus({ env, own }) : undefined;
  return { body: { version, ...health, sessions, ...(machine && { processes: machine.processes }) } };
}

async function tokenRights({ house, guest }: Call): Promise<Answer> {
  const { principal = null, token } = await guest.access();
  const { permissions = [], isOwners = false, sessions, folder } = token ?? {};
  const isLimited = sessions !== undefined || folder !== undefined;
  const { onBusy } = house.config;
  return {
    body: { principal, permissions, isOwners, isLimited, onBusy, hasAgent: house.attachments.hasAgent },
    headers: { "cache-control": "no-store" },
  };
}

/** Errors: `FORBIDDEN`. */
async function assertNoLink(guest: Call["guest"]): Promise<void> {
  if ((await guest.access()).token?.isLink !== true) return;
  throw new SidecarError("FORBIDDEN", "A link is for one session: how the server does needs another token");
}

/** What others do here is not for whoever was lent a part. */
async function seesAll(guest: Call["guest"]): Promise<boolean> {
  const { token } = await guest.access();
  return token?.isOwners === true && token.sessions === undefined && token.folder === undefined;
}
