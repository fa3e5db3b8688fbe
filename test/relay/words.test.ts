/** What the relay itself writes: titles, handovers, session ids in messages. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { capabilitiesOf, overlay } from "../../src/relay/agent/capabilities.ts";
import { titleOf } from "../../src/relay/methods/prompt.ts";
import { withSessionIds } from "../../src/acp/translate.ts";
import { initialized, rig, type Params } from "./rig.ts";

const text = (words: string) => ({ type: "text", text: words });

describe("a title", () => {
  it("is the first line of the first text that has one, on one line, with single spaces", () => {
    expect(titleOf([{ type: "image" }, text(" \n\t"), text("\n  Fix \t the   bug  \nsoon")])).toBe(
      "Fix the bug",
    );
    expect(titleOf([])).toBeUndefined();
    expect(
      titleOf([
        { type: "text", text: 5 },
        { type: "resource_link", name: "x" },
      ]),
    ).toBeUndefined();
  });

  it("is never longer than eighty characters, and none of them is cut", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 60, maxLength: 300 }), (words) => {
        const title = titleOf([text(words)]) ?? "";
        expect(Array.from(title).length).toBeLessThanOrEqual(80);
        expect(Buffer.from(title).toString()).toBe(title);
      }),
    );
    expect(titleOf([text("🐎".repeat(81))])).toBe(`${"🐎".repeat(79)}…`);
  });
});

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

  it("counts its budget in bytes, and cuts no character", async () => {
    const cut = await handedOver(["漢".repeat(1000)], 100);
    const kept = /漢+/.exec(cut)?.[0] ?? "";
    expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(100);
    expect(kept.length).toBeGreaterThan(20);
    expect(cut).not.toContain("\ufffd");
  });
});

describe("the answer to initialize", () => {
  it("offers what a session layer can, and keeps all that is the agent's", () => {
    const theirs = initialized(
      { fork: null, list: { paged: true }, future: {} },
      { promptCapabilities: { image: true } },
    )();
    const answer = overlay({ ...theirs, authMethods: [1], _meta: { a: 1 } });
    expect(answer).toEqual({
      ...theirs,
      authMethods: [1],
      _meta: { a: 1 },
      agentCapabilities: {
        promptCapabilities: { image: true },
        loadSession: true,
        sessionCapabilities: {
          list: { paged: true },
          resume: {},
          close: {},
          delete: {},
          fork: {},
          future: {},
        },
      },
    });
    expect(capabilitiesOf({ initialized: theirs })).toMatchObject({
      list: true,
      fork: false,
      load: false,
      resume: false,
    });
    expect(capabilitiesOf({ initialized: { agentCapabilities: "nonsense" } })).toMatchObject({
      list: false,
      load: false,
    });
  });
});

describe("a result that names a session", () => {
  it("names it by our id where it is ours, and is left alone where not", () => {
    const ours = (id: string) => (id === "a" ? "ours" : undefined);
    expect(withSessionIds({ sessionId: "a", x: 1 }, ours)).toEqual({ sessionId: "ours", x: 1 });
    for (const other of [{ sessionId: "b" }, { sessionId: 5 }, null, "a", [{ sessionId: "a" }]]) {
      expect(withSessionIds(other, ours)).toBe(other);
    }
  });
});
