import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import type { SessionId } from "../../src/base/ids.ts";
import type { Serve } from "../../src/http/prompting/serve-guest.ts";
import { thisHolder } from "../../src/session/holder.ts";
import { runSidecar } from "../../src/sidecar.ts";
import type { Store } from "../../src/store/contract.ts";
import { apiOn } from "./rig.ts";
import { EventReader } from "./stream.ts";

const script = fileURLToPath(new URL("../fixtures/agents/agent.mjs", import.meta.url));
const agent = { command: process.execPath, args: [script] };
const serve: Serve =
  ({ store, audit }) =>
  (streams, signal) =>
    runSidecar(
      { store, endpoint: "off", agent, logLevel: "silent" },
      { ...streams, audit, front: "request" },
      signal,
    );

/** As another machine has it, which nobody here can ask. */
async function heldElsewhere(store: Store, id: SessionId, turnRunning: boolean) {
  const holder = { ...thisHolder(), host: "elsewhere/1" };
  const { lease } = await store.acquire(id, { holder, ttlMs: 60_000, mayTake: () => false });
  return store.renew({ ...lease, turnRunning });
}

it("a session is ended wherever it is open, in a turn only by force, and only by whose it is", async () => {
  const { ask, store, tokenFor } = await apiOn();
  const { id } = (await ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json;
  const end = (body?: object, token?: string) =>
    ask("POST", `/api/sessions/${id}/end`, { ...(body && { body }), ...(token && { token }) });
  expect((await end()).json).toEqual({ id, ended: false });

  await heldElsewhere(store, id, false);
  const { lease } = (await ask("GET", `/api/sessions/${id}`)).json;
  expect(lease).toMatchObject({ isHere: false, holder: { host: "elsewhere" } });
  expect((await end({}, await tokenFor("write"))).json).toMatchObject({ status: 403, code: "FORBIDDEN" });
  expect((await end()).json).toEqual({ id, ended: true });
  expect((await ask("GET", `/api/sessions/${id}`)).json).toMatchObject({ state: "idle" });

  const lost = await heldElsewhere(store, id, true);
  expect((await end()).json).toMatchObject({ status: 409, code: "SESSION_BUSY", turnRunning: true });
  expect((await end({ force: true })).json).toEqual({ id, ended: true });
  expect((await ask("GET", `/api/sessions/${id}`)).json.state).toBe("idle");
  await expect(store.renew(lost)).rejects.toMatchObject({ code: "LEASE_LOST" });
});

it(
  "one whose turn runs in this very server is said so, and ended in order",
  { timeout: 30_000 },
  async () => {
    const { ask, raw, store } = await apiOn({ serve });
    const { id } = (await ask("POST", "/api/sessions", { body: { cwd: path.resolve(".") } })).json;
    const reader = new EventReader(
      await raw("POST", `/api/sessions/${id}/prompt`, {
        body: { prompt: "permission" },
        headers: { accept: "text/event-stream" },
      }),
    );
    await reader.until(({ event }) => event === "permission");
    expect((await ask("GET", `/api/sessions/${id}`)).json).toMatchObject({
      state: "running",
      lease: { isHere: true },
    });
    expect((await ask("POST", `/api/sessions/${id}/end`)).json).toEqual({ id, ended: true });
    expect((await reader.until(({ event }) => event === "end")).at(-1)?.data).toMatchObject({
      stopReason: "cancelled",
    });
    expect((await store.get(id))?.lease).toBeUndefined();
  },
);

it("whose session a prompt takes over is told with what a token may do", async () => {
  for (const onBusy of ["idle", "error", "takeover"]) {
    const { ask } = await apiOn({ config: { onBusy } });
    expect((await ask("GET", "/api/token")).json).toMatchObject({ onBusy, hasAgent: false });
  }
});
