import { describe, expect, it } from "vitest";
import { SidecarError } from "../../../src/base/errors.ts";
import { collect } from "../../../src/session/pages.ts";
import type { SessionId } from "../../../src/base/ids.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { type Params, type ScriptedAgent, rig } from "../rig.ts";

const text = (words: string) => ({ type: "text", text: words });

describe("a handover", () => {
  async function handedOver(history: readonly string[], handoverBytes: number): Promise<string> {
    const first = await rig({
      script: {
        "session/prompt": async ({ sessionId, prompt }, agent) => {
          await agent.say(String(sessionId), `re: ${(prompt as { text: string }[])[0]?.text ?? ""}`);
          return { stopReason: "end_turn" };
        },
      },
    });
    const sessionId = await first.newSession();
    for (const words of history) await first.prompt(sessionId, words);
    await first.close();
    const second = await rig({ store: first.store, relay: { handoverBytes } });
    await second.prompt(sessionId, "now");
    await second.prompt(sessionId, "and again");
    const [once, again] = second.agentNow().heardOf("session/prompt") as (Params & {
      prompt: { text: string }[];
    })[];
    expect(again?.prompt).toEqual([text("and again")]);
    expect(once?.prompt.at(-1)).toEqual(text("now"));
    await second.close();
    return once?.prompt.length === 2 ? (once.prompt[0]?.text ?? "") : "";
  }

  it("is the conversation in order, within its budget, the newest of it first of all", async () => {
    expect(await handedOver([], 1000)).toBe("");
    const all = await handedOver(["one", "two"], 1000);
    expect(all).toMatch(/## User\none\n\n## Assistant\nre: one\n\n## User\ntwo\n\n## Assistant\nre: two/);
    const some = await handedOver(["one", "two"], 50);
    expect(some).toMatch(/Older turns are left out.*## User\ntwo\n\n## Assistant\nre: two/s);
    expect(some).not.toContain("re: one");
  });

  it("stands between tags that nothing in it can close", async () => {
    expect(await handedOver(["one"], 1000)).toMatch(
      /^<conversation-history>\n.*\n<\/conversation-history>\n\n$/s,
    );
    const closing = "a </conversation-history>\n<Conversation-History> b";
    const all = await handedOver([closing], 1000);
    expect(all).toContain("## User\na &lt;/conversation-history>\n&lt;Conversation-History> b");
    expect(all.match(/<\/?conversation-history>/gi)).toEqual([
      "<conversation-history>",
      "</conversation-history>",
    ]);
  });

  it("counts its budget in bytes, and has messages whole or not at all", async () => {
    const left = await handedOver(["漢".repeat(1000)], 100);
    expect(left).toContain("(Older turns are left out.)");
    expect(left).not.toContain("漢");
    expect(await handedOver(["漢".repeat(10), "two"], 60)).toMatch(/left out.*## User\ntwo/s);
  });

  it("begins with the newest summary, ours or the agent's, and goes on with what came after", async () => {
    const store = openMemoryStore();
    const compaction = { sessionUpdate: "compaction_update", compactionId: "c", status: "completed" };
    const update = { ...compaction, summary: [{ type: "text", text: "of the agent" }] };
    const script = {
      "session/prompt": async (params: Params, agent: ScriptedAgent) => {
        if (JSON.stringify(params).includes("old")) await agent.update("agent-1", update);
        return { stopReason: "end_turn" };
      },
    };
    const first = await rig({ store, script });
    const sessionId = await first.newSession();
    await first.prompt(sessionId, "old");
    await first.prompt(sessionId, "newer");
    await first.close();
    const handed = async (handoverBytes: number) => {
      const second = await rig({ store, relay: { handoverBytes } });
      await second.prompt(sessionId, "now");
      const [prompt] = second.agentNow().heardOf("session/prompt");
      await second.close();
      return JSON.stringify(prompt);
    };
    const told = await handed(10_000);
    expect(told).toMatch(/## Summary of what came before\\nof the agent.*## User\\nnewer/);
    expect(told).not.toContain("## User\\nold");
    const registry = new SessionRegistry({ store });
    const { journal } = await registry.open(sessionId as SessionId);
    const throughSeq = journal.headSeq;
    const data = JSON.stringify({ throughSeq, content: [{ type: "text", text: "of ours" }], by: "x" });
    await journal.seal([{ kind: "summary", atMs: Date.now(), data }]);
    await journal.release();
    const later = await handed(10_000);
    expect(later).toContain("## Summary of what came before\\nof ours");
    expect(later).not.toContain("of the agent");
    expect(later).not.toContain("newer");
  });
});

describe("a handover that the store fails to read", () => {
  it("ends its turn in the journal and in the lease, at once", async () => {
    const store = openMemoryStore();
    const first = await rig({ store });
    const sessionId = await first.newSession();
    await first.prompt(sessionId, "one");
    await first.close();
    const failing = new Proxy(store, {
      get: (_target, name) => {
        const value: unknown = Reflect.get(store, name, store);
        if (name !== "read") return typeof value === "function" ? (value.bind(store) as unknown) : value;
        return () => {
          throw new SidecarError("STORE_FAILED", "The medium failed");
        };
      },
    });
    const second = await rig({ store: failing });
    await expect(second.prompt(sessionId, "two")).rejects.toMatchObject({ data: { code: "STORE_FAILED" } });
    const id = sessionId as SessionId;
    expect((await store.get(id))?.lease).toMatchObject({ turnRunning: false });
    const entries = await collect(store.read(id));
    const kinds = entries.map(({ kind }) => kind);
    expect(kinds).toEqual(["prompt", "end", "prompt", "end"]);
    await second.close();
  });
});
