import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { isSessionId } from "../../src/base/ids.ts";
import { Meter, noMeter, type EndedTurn } from "../../src/base/meter.ts";
import type { Serve } from "../../src/http/prompting/serve-guest.ts";
import { runSidecar } from "../../src/sidecar.ts";
import { thisHolder } from "../../src/session/holder.ts";
import { apiOn, type Api } from "./rig.ts";
import { EventReader } from "./stream.ts";

const script = fileURLToPath(new URL("../fixtures/agents/agent.mjs", import.meta.url));

/** As the command does it: an agent in a process of its own. */
const serve: Serve =
  ({ store, audit, onWritten }) =>
  ({ input, output }, signal) =>
    runSidecar(
      { store, endpoint: "off", agent: { command: process.execPath, args: [script] }, logLevel: "silent" },
      {
        input,
        output,
        audit,
        front: "request",
        follow: (news) => void ("id" in news && isSessionId(news.id) && onWritten(news.id)),
      },
      signal,
    );

async function conversation() {
  const api = await apiOn({ serve });
  const { id } = (await api.ask("POST", "/api/sessions", { body: { cwd: path.resolve(".") } })).json;
  const prompt = (text: string, token?: string) =>
    api.ask("POST", `/api/sessions/${id}/prompt`, {
      body: { prompt: text },
      ...(token !== undefined && { token }),
    });
  const stream = async (text: string) =>
    new EventReader(
      await api.raw("POST", `/api/sessions/${id}/prompt`, {
        body: { prompt: text },
        headers: { accept: "text/event-stream" },
      }),
    );
  return { ...api, id, prompt, stream };
}

const permissions = async ({ ask }: Pick<Api, "ask">, id: string) =>
  (await ask("GET", `/api/sessions/${id}/permissions`)).json.permissions;

it("belong to the trace that a traceparent names; what is none is passed over", async () => {
  const traces: EndedTurn["trace"][] = [];
  const meter = new Meter();
  meter.tell({ ...noMeter, turn: (ended) => void traces.push(ended().trace) });
  const together = {
    meter,
    add: () => ({ close: async () => undefined, toldToEnd: new Promise<never>(() => undefined) }),
  };
  const { ask } = await apiOn({
    serve:
      ({ store, audit }) =>
      (streams, signal) =>
        runSidecar({ store, logLevel: "silent" }, { ...streams, audit, together }, signal),
  });
  const { id } = (await ask("POST", "/api/sessions", { body: { cwd: path.resolve(".") } })).json;
  const traceparent = "00-80e1afed08e019fc1110464cfa66635c-7a085853722dc6d2-01";
  const sent: Record<string, string>[] = [
    { traceparent, tracestate: "vendor=1" },
    { traceparent: "00-no-trace-01" },
    { tracestate: "vendor=1" },
    {},
  ];
  for (const headers of sent)
    expect((await ask("POST", `/api/sessions/${id}/prompt`, { body: { prompt: "x" }, headers })).status).toBe(
      200,
    );
  expect(traces).toEqual([{ traceparent, tracestate: "vendor=1" }, {}, {}, {}]);
});

describe("prompts over HTTP", { timeout: 30_000 }, () => {
  it("are answered by the agent, kept in the session, and streamed to whoever wants that", async () => {
    const { ask, id, prompt, stream } = await conversation();
    expect((await prompt("Hello")).json).toMatchObject({ stopReason: "end_turn" });
    const reader = await stream("Again");
    const events = await reader.until(({ event }) => event === "end");
    expect(events[0]).toMatchObject({ event: "update", data: { sessionUpdate: "agent_message_chunk" } });
    expect(events.at(-1)?.data).toMatchObject({ stopReason: "end_turn" });
    expect(await reader.next()).toBeUndefined();
    const { items } = (await ask("GET", `/api/sessions/${id}/history`)).json;
    expect(items.filter(({ type }) => type === "said").map(({ by }) => by)).toEqual([
      "user",
      "assistant",
      "user",
      "assistant",
    ]);
    // What is open here for the next prompt is in nobody's way.
    expect((await ask("PATCH", `/api/sessions/${id}`, { body: { title: "Mine" } })).status).toBe(200);
    expect((await ask("POST", `/api/sessions/${id}/rewind`, { body: { toSeq: 0 } })).status).toBe(200);
  });

  it("ask for permission, which is decided by whoever may", async () => {
    const { ask, id, stream, tokenFor } = await conversation();
    const reader = await stream("permission");
    const asked = (await reader.until(({ event }) => event === "permission")).at(-1)?.data;
    const [open] = await permissions({ ask }, id);
    expect(open?.permissionId).toBe(asked?.permissionId);
    const at = `/api/sessions/${id}/permissions/${open?.permissionId}`;
    const body = { optionId: open?.options[0]?.optionId };
    expect((await ask("POST", at, { body, token: await tokenFor("read") })).json.code).toBe("FORBIDDEN");
    expect((await ask("POST", at, { body: { optionId: "none of them" } })).status).toBe(400);
    expect((await ask("POST", at, { body })).status).toBe(200);
    await reader.until(({ event }) => event === "end");
    expect((await ask("POST", at, { body })).status).toBe(404);
    const { items } = (await ask("GET", `/api/sessions/${id}/history?include=tools`)).json;
    expect(items.find(({ type }) => type === "decided")).toMatchObject({ outcome: "allowed" });
  });

  it("are cancelled, and refused while one runs, here or elsewhere", async () => {
    const { ask, id, prompt, stream, tokenFor, store } = await conversation();
    const reader = await stream("permission");
    await reader.until(({ event }) => event === "permission");
    expect((await prompt("Me, too")).json).toMatchObject({ status: 409, code: "TURN_RUNNING" });
    expect((await prompt("And me", await tokenFor("write"))).json.code).toBe("TURN_RUNNING");
    expect((await ask("DELETE", `/api/sessions/${id}`)).json).toMatchObject({
      status: 409,
      code: "SESSION_BUSY",
    });
    expect((await ask("POST", `/api/sessions/${id}/cancel`)).json).toEqual({ id, cancelled: true });
    expect((await reader.until(({ event }) => event === "end")).at(-1)?.data.stopReason).toBe("cancelled");
    expect((await ask("POST", `/api/sessions/${id}/cancel`)).json.cancelled).toBe(false);

    const other = (await ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json.id;
    const holder = { ...thisHolder(), host: "elsewhere/1" };
    const { lease } = await store.acquire(other, { holder, ttlMs: 60_000, mayTake: () => false });
    await store.renew({ ...lease, turnRunning: true });
    const busy = await ask("POST", `/api/sessions/${other}/prompt`, { body: { prompt: "Hi" } });
    expect(busy.json).toMatchObject({ status: 409, code: "SESSION_BUSY", turnRunning: true });
    expect((await ask("POST", `/api/sessions/${other}/cancel`)).json.code).toBe("SESSION_BUSY");
  });

  it("go on when nobody reads them any more", async () => {
    const { ask, id, stream } = await conversation();
    const reader = await stream("permission");
    await reader.until(({ event }) => event === "permission");
    await reader.close();
    const [open] = await permissions({ ask }, id);
    const body = { optionId: open?.options[0]?.optionId };
    await ask("POST", `/api/sessions/${id}/permissions/${open?.permissionId}`, { body });
    const ended = async () => (await ask("GET", `/api/sessions/${id}/history`)).json.items.at(-1)?.type;
    await expect.poll(ended, { timeout: 5000 }).toBe("end");
  });

  it("with a key are answered once, also when they were told as a stream", async () => {
    const { ask, raw, id } = await conversation();
    const asking = {
      body: { prompt: "Once" },
      headers: { accept: "text/event-stream", "idempotency-key": "p" },
    };
    const at = `/api/sessions/${id}/prompt`;
    const [first, second] = await Promise.all([raw("POST", at, asking), raw("POST", at, asking)]);
    expect([first.status, second.status].sort()).toEqual([200, 409]);
    await new EventReader(first.status === 200 ? first : second).until(({ event }) => event === "end");
    expect((await raw("POST", at, asking)).status).toBe(409);
    const { items } = (await ask("GET", `/api/sessions/${id}/history`)).json;
    expect(items.filter(({ by }) => by === "user")).toHaveLength(1);
  });

  it("keep their session open whatever those ask who may only read, or not even that", async () => {
    const { ask, id, prompt, store, tokenFor } = await conversation();
    await prompt("Hello");
    const isHeld = async () => (await store.get(id))?.lease !== undefined;
    expect(await isHeld()).toBe(true);
    const reader = await tokenFor("read");
    const stranger = await tokenFor("admin", { folder: "/elsewhere" });
    const body = { title: "Mine" };
    expect((await ask("PATCH", `/api/sessions/${id}`, { token: reader, body })).json.code).toBe("FORBIDDEN");
    expect((await ask("PATCH", `/api/sessions/${id}`, { token: stranger, body })).status).toBe(404);
    expect(await isHeld()).toBe(true);
    expect((await ask("PATCH", `/api/sessions/${id}`, { body })).status).toBe(200);
    expect(await isHeld()).toBe(false);
  });

  it("need an agent, and the permission to prompt", async () => {
    const { ask, tokenFor } = await apiOn();
    const { id } = (await ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json;
    const at = `/api/sessions/${id}/prompt`;
    expect((await ask("POST", at, { body: { prompt: "x" } })).json).toMatchObject({
      status: 502,
      code: "AGENT_NOT_STARTED",
    });
    expect((await ask("POST", at, { body: { prompt: "x" }, token: await tokenFor("read") })).json.code).toBe(
      "FORBIDDEN",
    );
  });
});
