import { describe, expect, it } from "vitest";
import { Threads, type Thread } from "../../src/history/threads.ts";
import { Teller } from "../../src/session/teller.ts";
import { end, kid, ofKid, prompt, say, text, update } from "./talk.ts";

const drawing = {
  drawer: (depth: number) => ({
    of: (happening: { readonly type: string; readonly seq: number }) =>
      `${depth}:${happening.type}${happening.seq} `,
    finish: () => "",
  }),
  wrap: ({ title, from, through }: Thread, body: string, depth: number) =>
    `[${depth} ${title ?? "?"} ${from}-${through}: ${body}] `,
};

function drawn(entries: readonly ReturnType<typeof prompt>[]): string {
  const teller = new Teller();
  const threads = new Threads(drawing);
  let all = "";
  for (const [at, each] of entries.entries()) {
    const happening = teller.told({ ...each, seq: at + 1 });
    if (happening !== undefined) all += threads.of(happening);
  }
  return (all + threads.finish()).trim();
}

const announce = (more: object, session = kid) => update("subagent_update", { sessionId: session, ...more });
const within = (callId: string) => ({ _meta: { claudeCode: { parentToolUseId: callId } } });

describe("threads [issue 10.3]", () => {
  it("put a subagent's conversation together where it rests", () => {
    const hers = ofKid("agent_message_chunk", { content: text("a") });
    expect(
      drawn([
        prompt("p"),
        announce({ title: "Kid", state: { state: "running" } }),
        hers,
        say("b"),
        hers,
        announce({ state: { state: "idle" } }),
        say("c"),
      ]),
    ).toBe("0:said1 0:subagent2 0:said4 0:subagent6 [1 Kid 3-5: 1:said3 1:said5 ] 0:said7");
  });

  it("put it within the subagent that it worked for, and end with the turn", () => {
    const grandkid = ofKid("subagent_update", { sessionId: "G", title: "Grandkid" });
    const of = (child: string) => {
      const { data, ...rest } = ofKid("agent_message_chunk", { content: text("a") });
      return { ...rest, data: data.replace(kid, child) };
    };
    expect(drawn([prompt("p"), announce({ title: "Kid" }), of(kid), grandkid, of("G"), end(), of(kid)])).toBe(
      "0:said1 0:subagent2 [1 Kid 3-4: 1:said3 1:subagent4 [2 Grandkid 5-5: 2:said5 ] ] 0:end6 [1 ? 7-7: 1:said7 ]",
    );
  });

  it("put what was done within a call together, where its agent has no sessions for that", () => {
    const call = (id: string, more: object = {}) =>
      update("tool_call", { toolCallId: id, title: id, ...more });
    expect(
      drawn([prompt("p"), call("Task"), call("a", within("Task")), call("b", within("Task")), say("x")]),
    ).toBe("0:said1 0:call2 [1 Task 3-4: 1:call3 1:call4 ] 0:said5");
  });

  it("hold no more than so much, however long a subagent goes on", () => {
    const entries = [
      prompt("p"),
      ...Array.from({ length: 300 }, () => ofKid("agent_message_chunk", { content: text("a") })),
    ];
    const teller = new Teller();
    const long = { ...drawing, drawer: () => ({ of: () => "x".repeat(100_000), finish: () => "" }) };
    const threads = new Threads(long);
    let [written, most] = [0, 0];
    for (const [at, each] of entries.entries()) {
      const happening = teller.told({ ...each, seq: at + 1 });
      if (happening === undefined) continue;
      written += threads.of(happening).length;
      most = Math.max(most, (at + 1) * 100_000 - written);
    }
    expect(most).toBeLessThan(9 << 20);
  });
});
