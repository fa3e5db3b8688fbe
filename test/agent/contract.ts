/** What is to be expected of every agent, whatever stands behind it: one suite, run for each kind. */
import { afterEach, describe, expect, it } from "vitest";
import type { Agent, AgentHandlers } from "../../src/agent/agent.ts";
import { paramsOf } from "../../src/acp/updates.ts";
import { SidecarError } from "../../src/base/errors.ts";
import { isRpcError } from "../../src/rpc/errors.ts";
import type { RequestId } from "../../src/rpc/messages.ts";
import { gate, handlers, soon } from "../rpc/streams.ts";

/** Starts an agent that says back the text of a prompt, in several updates, and stops when it is cancelled. */
export type StartEcho = (handlers: AgentHandlers) => Promise<Agent>;

const text = (words: string) => ({ type: "text", text: words });
const endless = text("word ".repeat(2000));

export function agentContract(name: string, start: StartEcho): void {
  const agents: Agent[] = [];

  afterEach(async () => {
    await Promise.all(agents.splice(0).map((agent) => agent.stop()));
  });

  async function started(given: Partial<AgentHandlers> = {}) {
    const said: [sessionId: string, text: string][] = [];
    let onSaid: () => void = () => undefined;
    const agent = await start(
      handlers({
        updates: (updates) => {
          for (const { sessionId, update } of paramsOf(updates)) {
            said.push([sessionId, (update["content"] as { text: string }).text]);
          }
          onSaid();
        },
        ...given,
      }),
    );
    agents.push(agent);
    return {
      agent,
      said,
      untilSaid: () => new Promise<void>((resolve) => (onSaid = resolve)),
      prompt: (sessionId: string, block: object, options: Parameters<Agent["request"]>[2] = {}) =>
        agent.request("session/prompt", { sessionId, prompt: [block] }, options),
    };
  }

  describe(`${name}: an agent`, () => {
    it("answers, behind all that it says before", async () => {
      const { agent, prompt, said } = await started();
      expect(await agent.request("initialize", { protocolVersion: 1 })).toMatchObject({ protocolVersion: 1 });
      const { sessionId } = (await agent.request("session/new", {})) as { sessionId: string };
      const before = agent.received;
      expect(await prompt(sessionId, text("one two three"))).toEqual({ stopReason: "end_turn" });
      expect(said.map(([id]) => id)).toEqual(said.map(() => sessionId));
      expect(said.map(([, each]) => each).join("")).toBe("one two three");
      expect(agent.received).toBeGreaterThan(before);
    });

    it("refuses as peers do: with a code", async () => {
      const { agent } = await started();
      const refused = await agent.request("_no/such_method", {}).catch((error: unknown) => error);
      expect(isRpcError(refused, -32601)).toBe(true);
    });

    it("is asked several things at once, each under an id of its own", async () => {
      const { prompt, said } = await started();
      const ids: RequestId[] = [];
      let taken = 0;
      const options = { onSent: (id: RequestId) => ids.push(id), onTaken: () => (taken += 1) };
      await Promise.all(["a", "b"].map((each) => prompt(each, text(`${each} ${each}`), options)));
      expect(new Set(ids).size).toBe(2);
      expect(taken).toBe(2);
      expect(new Set(said.map(([id, each]) => `${id}${each.trim()}`))).toEqual(new Set(["aa", "bb"]));
    });

    it("hears of a cancellation by notification and by signal, also of one that came before", async () => {
      const { agent, prompt, untilSaid } = await started();
      const first = prompt("a", endless);
      await untilSaid();
      await agent.notify("session/cancel", { sessionId: "a" });
      expect(await first).toEqual({ stopReason: "cancelled" });
      const withdrawal = new AbortController();
      const second = prompt("a", endless, { signal: withdrawal.signal });
      await untilSaid();
      withdrawal.abort();
      expect(await second).toEqual({ stopReason: "cancelled" });
      expect(await prompt("a", endless, { signal: AbortSignal.abort() })).toEqual({
        stopReason: "cancelled",
      });
    });

    it("is held back while what it has said is not taken", async () => {
      const free = gate();
      let calls = 0;
      const { prompt } = await started({
        updates: async () => {
          calls += 1;
          await free.passed;
        },
      });
      const answered = prompt("a", text("one two three"));
      let isAnswered = false;
      void answered.then(() => (isAnswered = true));
      while (calls === 0) await soon();
      await soon();
      expect([calls, isAnswered]).toEqual([1, false]);
      free.open();
      expect(await answered).toEqual({ stopReason: "end_turn" });
    });
  });

  describe(`${name}: the end of an agent`, () => {
    it("by being stopped is wanted, and rejects what is pending and whatever is asked later", async () => {
      const { agent, prompt, untilSaid } = await started();
      const outcome = Promise.allSettled([prompt("a", endless)]);
      await untilSaid();
      await Promise.all([agent.stop(), agent.stop()]);
      const { error, wanted } = await agent.exited;
      expect([error.code, wanted]).toEqual(["AGENT_EXITED", true]);
      expect(await outcome).toMatchObject([{ reason: { code: "AGENT_EXITED" } }]);
      await expect(agent.request("initialize", {})).rejects.toMatchObject({ code: "AGENT_EXITED" });
      await agent.notify("session/cancel", { sessionId: "a" });
    });

    it("by being given up has the reason that it was given up for, at once", async () => {
      const { agent, prompt, untilSaid } = await started();
      const pending = prompt("a", endless).catch((error: unknown) => error);
      await untilSaid();
      const reason = new SidecarError("AGENT_EXITED", "deaf");
      agent.abandon(reason);
      expect(await pending).toBe(reason);
      expect((await agent.exited).wanted).toBe(false);
    });
  });
}
