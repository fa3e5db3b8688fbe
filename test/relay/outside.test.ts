import { afterEach, describe, expect, it } from "vitest";
import { Figures } from "../../src/figures/figures.ts";
import { exposition } from "../../src/figures/exposition.ts";
import { collect } from "../../src/session/pages.ts";
import { familiesIn, valueIn } from "../figures/scrape.ts";
import { gate, rig, until, type Rig, type RigOptions } from "./rig.ts";

let running: Rig | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});

async function started(options: RigOptions = {}): Promise<Rig> {
  running = await rig(options);
  return running;
}

describe("what others on the machine may know of a relay", () => {
  it("is which sessions it holds and since when a turn runs in them", async () => {
    const open = gate();
    const { relay, newSession, prompt, agentNow } = await started({
      script: {
        "session/prompt": async () => {
          await open.passed;
          return { stopReason: "end_turn" };
        },
      },
    });
    const idle = await newSession();
    const busy = await newSession();
    const turn = prompt(busy);
    await until(() => agentNow().heardOf("session/prompt").length > 0);
    const { sessions, heartbeatAtMs } = relay.outside.facts();
    expect(sessions.find(({ id }) => id === idle)).toEqual({ id: idle, clients: 1, waiting: 0 });
    const { turnSinceMs } = sessions.find(({ id }) => id === busy) ?? {};
    expect(Date.now() - (turnSinceMs ?? 0)).toBeLessThan(60_000);
    expect(Date.now() - heartbeatAtMs).toBeLessThan(60_000);
    open.open();
    await turn;
  });

  it("is that it has answered its client, and whether that waits", async () => {
    const { relay } = await started();
    await relay.outside.answered.promise;
    await until(() => !relay.outside.isBusy);
  });
});

describe("a session that is ended from outside", () => {
  it("has its turn cancelled and sealed and its lease given back; the client is told, and may go on", async () => {
    const { relay, registry, newSession, prompt, agentNow, shown } = await started({
      script: {
        "session/prompt": (params, agent) => {
          if (agent.heardOf("session/prompt").length > 1) return { stopReason: "end_turn" };
          return new Promise((resolve) => {
            void agent.say(params["sessionId"] as string, "so far");
            void until(() => agent.heardOf("session/cancel").length > 0).then(() =>
              resolve({ stopReason: "cancelled" }),
            );
          });
        },
      },
    });
    const id = await newSession();
    const turn = prompt(id);
    await until(() => shown().includes("so far"));
    expect(await relay.outside.end(id)).toBe(true);
    expect(await turn).toEqual({ stopReason: "cancelled" });
    expect(agentNow().heardOf("session/cancel")).toHaveLength(1);
    await expect.poll(shown).toMatch(/This session was ended by .*sessions end.*What was said is kept/);
    const record = await registry.get(id as never);
    expect(record.lease).toBeUndefined();
    expect(record.sealedSeq).toBe(record.headSeq);
    const kept = JSON.stringify(await collect(registry.read(record.id)));
    expect(kept).toContain("so far");
    expect(kept).not.toContain("was ended by");
    expect(await prompt(id)).toEqual({ stopReason: "end_turn" });
  });

  it("is none where it is not live: nothing happens", async () => {
    const { relay } = await started();
    expect(await relay.outside.end("01M8DWK5YJY2D55VBRB32CHGPE")).toBe(false);
    expect(await relay.outside.end("__proto__")).toBe(false);
  });

  it("tells of the process's end in each", async () => {
    const { relay, newSession, updates } = await started();
    const ids = [await newSession(), await newSession()];
    await relay.outside.tellOfEnd();
    await until(() => updates.length >= 2);
    expect(updates.map(({ sessionId }) => sessionId).sort()).toEqual(ids.sort());
  });
});

describe("what a relay counts", () => {
  it("is requests, updates, turns and tokens, by names of ours only", async () => {
    const meter = new Figures();
    const { client, newSession, prompt } = await started({
      meter,
      script: {
        "session/prompt": async (params, agent) => {
          await agent.say(params["sessionId"] as string, "MARKER");
          const usage = {
            inputTokens: 10,
            outputTokens: 5,
            totalTokens: 15,
            cachedReadTokens: -1,
            thoughtTokens: "MARKER",
          };
          return agent.heardOf("session/prompt").length === 1
            ? { stopReason: "end_turn", usage }
            : { stopReason: "MARKER reason" };
        },
      },
    });
    const id = await newSession();
    await prompt(id, "MARKER");
    await prompt(id);
    await expect(
      client.request("session/load", { sessionId: "MARKER", cwd: "/MARKER", mcpServers: [] }),
    ).rejects.toThrow();
    await expect(prompt("MARKER")).rejects.toThrow();
    await client.request("_MARKER/method", {});
    const text = exposition(meter.snapshot({ gauges: {}, counters: {} }));
    expect(text).not.toContain("MARKER");
    const families = familiesIn(text);
    const of = (name: string, labels = {}) => valueIn(families, `acp_sidecar_${name}`, labels);
    const requests = (method: string, outcome: string) => of("requests_total", { method, outcome });
    expect(requests("initialize", "ok")).toBe(1);
    expect(requests("session/new", "ok")).toBe(1);
    expect(requests("session/prompt", "ok")).toBe(2);
    expect(requests("session/prompt", "failed")).toBe(1);
    expect(requests("session/load", "failed")).toBe(1);
    expect(requests("other", "ok")).toBe(1);
    expect(of("request_duration_seconds_count", { method: "session/load" })).toBe(1);
    expect(of("turns_total", { outcome: "end_turn" })).toBe(1);
    expect(of("turns_total", { outcome: "other" })).toBe(1);
    expect(of("turn_duration_seconds_count")).toBe(2);
    expect(of("tokens_total", { kind: "input" })).toBe(10);
    expect(of("tokens_total", { kind: "cached_read" })).toBe(0);
    expect(of("updates_total")).toBe(2);
    expect(of("agent_starts_total", { outcome: "ok" })).toBe(1);
  });

  it("is agents that died and were started again", async () => {
    const meter = new Figures();
    const { newSession, agentNow, agents } = await started({ meter });
    await newSession();
    agentNow().die();
    await agentNow().ours.exited;
    await newSession();
    expect(agents).toHaveLength(2);
    const families = familiesIn(exposition(meter.snapshot({ gauges: {}, counters: {} })));
    expect(valueIn(families, "acp_sidecar_agent_deaths_total")).toBe(1);
    expect(valueIn(families, "acp_sidecar_agent_restarts_total")).toBe(1);
    expect(valueIn(families, "acp_sidecar_agent_starts_total", { outcome: "ok" })).toBe(2);
  });
});
