import { describe, expect, it } from "vitest";
import { noAudit, type Audit } from "../../../src/audit/audit.ts";
import { SidecarError } from "../../../src/base/errors.ts";
import { toSessionId } from "../../../src/base/ids.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { gate, rig, until, type Params, type ScriptedAgent } from "../rig.ts";
import { flaky } from "../../session/flaky-store.ts";

describe("a permission that is asked for while its turn is being ended", () => {
  it("is answered cancelled, and the client is not asked [REQ cancel-permission]", async () => {
    const { store, hold, calls } = flaky(openMemoryStore());
    const asked: unknown[] = [];
    let [release, before] = [() => {}, Infinity];
    const relay = await rig({
      store,
      relay: { cancelGraceMs: 1 },
      client: { "session/request_permission": (params) => void asked.push(params) },
      script: {
        "session/prompt": async ({ sessionId }, agent) => {
          [release, before] = [hold("append"), calls("append")];
          const params = { sessionId, options: [], toolCall: {} };
          return {
            stopReason: "end_turn",
            _meta: await agent.connection.request("session/request_permission", params),
          };
        },
      },
    });
    const sessionId = await relay.newSession();
    const answer = relay.prompt(sessionId);
    await until(() => calls("append") > before);
    await relay.client.notify("session/cancel", { sessionId });
    await until(() => relay.agentNow().heardOf("session/cancel").length === 1);
    // Timers fire in the order of their times: the grace time is over then.
    await new Promise((resolve) => setTimeout(resolve, 5));
    release();
    expect(await answer).toEqual({ stopReason: "cancelled" });
    expect(asked).toEqual([]);
    await relay.close();
  });
});

describe("an agent that dies", () => {
  it("in the middle of a question to the client has the question withdrawn, and its prompt fails", async () => {
    const withdrawn: string[] = [];
    const relay = await rig({
      script: {
        "session/prompt": ({ sessionId }, agent) =>
          agent.connection.request("session/request_permission", { sessionId, options: [], toolCall: {} }),
      },
      client: {
        "session/request_permission": (_params, { signal }) =>
          new Promise((resolve) => {
            signal.addEventListener("abort", () => {
              withdrawn.push("permission");
              resolve({ outcome: { outcome: "cancelled" } });
            });
            relay.agentNow().die();
          }),
      },
    });
    const sessionId = await relay.newSession();
    await expect(relay.prompt(sessionId)).rejects.toMatchObject({ data: { code: "AGENT_EXITED" } });
    await until(() => withdrawn.length === 1);
    await relay.close();
  });
});

describe("a session that is closed", () => {
  it("while a question of its agent is open takes the answer in without a word", async () => {
    const answer = gate();
    const warned: string[] = [];
    const log = {
      ...{
        error: (_: unknown, text: string) => void warned.push(text),
        warn: (_: unknown, text: string) => void warned.push(text),
      },
      ...{ info: () => undefined, debug: () => undefined, writes: () => true, close: () => undefined },
    };
    let asked: Promise<unknown> | undefined;
    const relay = await rig({
      log,
      script: {
        "session/prompt": ({ sessionId }, agent) => {
          asked = agent.connection.request("fs/read_text_file", { sessionId, path: "/x" });
          return { stopReason: "end_turn" };
        },
      },
      client: { "fs/read_text_file": () => answer.passed.then(() => ({ content: "late" })) },
    });
    const sessionId = await relay.newSession();
    await relay.prompt(sessionId);
    await relay.client.request("session/close", { sessionId });
    answer.open();
    expect(await asked).toEqual({ content: "late" });
    expect(warned).toEqual([]);
    await relay.close();
  });
});

describe("an elicitation", () => {
  const asks = (answer: (value: unknown) => void) => ({
    "session/prompt": async ({ sessionId }: Params, agent: ScriptedAgent) => {
      answer(
        await agent.connection.request("elicitation/create", {
          sessionId,
          mode: "form",
          message: "Your key?",
        }),
      );
      return { stopReason: "end_turn" };
    },
  });

  it("is withdrawn with its turn, as a permission is", async () => {
    let answered: unknown;
    let isWithdrawn = false;
    const asked = gate();
    const relay = await rig({
      relay: { cancelGraceMs: 10 },
      script: asks((value) => (answered = value)),
      client: {
        "elicitation/create": (_params, { signal }) => {
          asked.open();
          return new Promise((resolve) => {
            signal.addEventListener("abort", () => {
              isWithdrawn = true;
              resolve({ action: "cancel" });
            });
          });
        },
      },
    });
    const sessionId = await relay.newSession();
    const turn = relay.prompt(sessionId);
    await asked.passed;
    await relay.client.notify("session/cancel", { sessionId });
    expect(await turn).toMatchObject({ stopReason: "cancelled" });
    await until(() => answered !== undefined && isWithdrawn);
    expect(answered).toEqual({ action: "cancel" });
    await relay.close();
  });

  it("is kept as answered, without the answer: it may be a secret", async () => {
    let answered: unknown;
    const relay = await rig({
      script: asks((value) => (answered = value)),
      client: { "elicitation/create": () => ({ action: "accept", content: { key: "hunter2" } }) },
    });
    const sessionId = await relay.newSession();
    await relay.prompt(sessionId);
    expect(answered).toEqual({ action: "accept", content: { key: "hunter2" } });
    const kept: string[] = [];
    for await (const page of relay.registry.read(toSessionId(sessionId)))
      kept.push(...page.map(({ data }) => data));
    expect(kept.join()).toContain('"action":"accept"');
    expect(kept.join()).not.toContain("hunter2");
    await relay.close();
  });
});

describe("a permission that must be recorded and cannot be", () => {
  it.each([
    ["asked", "permission.ask", 0],
    ["decided", "permission.decide", 1],
  ])("when it is %s, is not granted", async (_, refused, timesAsked) => {
    const asked: unknown[] = [];
    const answers: unknown[] = [];
    const audit: Audit = {
      ...noAudit,
      noted: async ({ what }) => {
        if (what === refused) throw new SidecarError("AUDIT_FAILED", "the disk is full");
      },
    };
    const relay = await rig({
      registry: { audit },
      client: {
        "session/request_permission": (params) => {
          asked.push(params);
          return { outcome: { outcome: "selected", optionId: "yes" } };
        },
      },
      script: {
        "session/prompt": async ({ sessionId }, agent) => {
          const options = [{ optionId: "yes", name: "Yes", kind: "allow_once" }];
          const params = { sessionId, options, toolCall: { toolCallId: "t" } };
          const answer = agent.connection.request("session/request_permission", params);
          answers.push(await answer.catch((error: unknown) => error));
          return { stopReason: "end_turn" };
        },
      },
    });
    await relay.prompt(await relay.newSession());
    expect(answers).toEqual([expect.objectContaining({ message: "the disk is full" })]);
    expect(asked).toHaveLength(timesAsked);
    await relay.relay.close();
  });
});
