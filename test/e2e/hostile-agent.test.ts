/** An agent that breaks the protocol, floods, or speaks at odd times: the sidecar bears it. */
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import type { SdkClient } from "./harness/sdk-client.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();

const store = harness.storeUrl();

let client: SdkClient;
let sessionId = "";
beforeAll(async () => {
  client = await harness.connect({ store });
  ({ sessionId } = await client.newSession(cwd));
});

describe("malformed messages of the agent", () => {
  it.each([
    "42",
    "null",
    "[]",
    '["a"]',
    "{}",
    '{"jsonrpc":"2.0"}',
    '{"jsonrpc":"2.0","id":12345,"result":{}}',
    '{"jsonrpc":"2.0","id":"never asked","error":{"code":1,"message":"x"}}',
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}',
    '{"jsonrpc":"2.0","method":"session/update"}',
    '{"jsonrpc":"2.0","method":"session/update","params":[]}',
    '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"$S"}}',
    '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"$S","update":null}}',
    '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":7,"update":{"sessionUpdate":"x"}}}',
    '{"jsonrpc":"2.0","method":"$/cancel_request","params":{"requestId":"none"}}',
    '{"jsonrpc":"2.0","method":"$/cancel_request"}',
    "{",
  ])("%s is borne [REQ agent-noise, stdout-protocol-only]", async (line) => {
    expect(await client.say(sessionId, `raw ${line}\nstill here`)).toBe("echo: still here");
    expect(client.program.agents()).toHaveLength(1);
  });

  it("a request without params or with an odd session is answered [REQ answer-once]", async () => {
    const said = await client.say(
      sessionId,
      'raw {"jsonrpc":"2.0","id":"odd","method":"_fixture/odd"}\nraw {"jsonrpc":"2.0","id":"lost","method":"fs/read_text_file","params":{"sessionId":"lost","path":"/a"}}\ndone',
    );
    expect(said).toBe("echo: done");
    const answered = () =>
      ["odd", "lost"].every((id) =>
        client.program.agents()[0]?.messages.some((message) => message.id === id),
      );
    await expect.poll(answered, { timeout: 5000 }).toBe(true);
  });

  it("an answer nested beyond reason ends its turn, and is kept to the letter", async () => {
    const before = client.program.out.length;
    await expect(client.prompt(sessionId, "answer-deep 50000")).rejects.toMatchObject({
      data: { code: "INVALID_REQUEST" },
    });
    expect(client.program.out.length).toBeGreaterThan(before);
    expect(await client.say(sessionId, "still here")).toBe("echo: still here");
    const { stdout } = await harness.cli([
      "sessions",
      "show",
      sessionId,
      "--entries",
      "--json",
      "--store",
      store,
    ]);
    expect(stdout).toContain(`"result":{"stopReason":"end_turn","_meta":{"nested":${"[".repeat(50_000)}]`);
  });

  it("an update nested beyond reason does not end the sidecar [REQ agent-noise]", async () => {
    expect(await client.say(sessionId, "deep 200000\nstill here")).toBe("echo: still here");
  });
});

describe("floods", () => {
  it("on stderr do not stop the agent", async () => {
    expect(await client.say(sessionId, "flood 3000000\nstill here")).toBe("echo: still here");
  });

  it("of updates wait for a client that reads slowly, and none is lost [REQ back-pressure]", async () => {
    const slow = await harness.connectRaw();
    const session = await slow.newSession(cwd);
    const { stdout } = slow.program.child;
    stdout.pause();
    const turn = slow.prompt(session, "stream 8000 3000");
    await delay(1500);
    expect(slow.program.peakMemoryBytes()).toBeLessThan(140 * 2 ** 20);
    stdout.resume();
    await turn;
    const numbers = textOf(slow.program.out.updates(session)).match(/\[\d+\]/g);
    expect(numbers).toHaveLength(8000);
    expect(numbers?.every((text, n) => text === `[${n + 1}]`)).toBe(true);
  });
});

describe("updates at odd times", () => {
  it("before and right behind the answer to session/new come after our answer, under our id [REQ new-early]", async () => {
    const early = await harness.connect({ agent: ["agent.mjs", "--early-update"] });
    const session = await early.newSession(cwd);
    await early.untilUpdate(session.sessionId, (update) => JSON.stringify(update).includes("right-behind"));
    const messages = early.program.out.messages().slice(1);
    expect(messages[0]).toHaveProperty("result.sessionId", session.sessionId);
    expect(early.program.out.updates()).toHaveLength(2);
    expect(early.program.out.updates(session.sessionId)).toHaveLength(2);
  });

  it("of a session that was closed or deleted reach nobody [REQ delete-gone, close-release]", async () => {
    const deaf = await harness.connect({ args: ["--cancel-grace", "100ms"] });
    for (const method of ["session/close", "session/delete"] as const) {
      const session = await deaf.newSession(cwd);
      const turn = deaf.prompt(session.sessionId, "cancel-deaf 800").catch(() => undefined);
      await deaf.untilUpdate(session.sessionId, () => true);
      await deaf.agent.request(method, { sessionId: session.sessionId });
      await turn;
      const seen = deaf.program.out.updates(session.sessionId).length;
      const other = await deaf.newSession(cwd);
      await deaf.prompt(other.sessionId, "slow 900");
      expect(deaf.program.out.updates(session.sessionId)).toHaveLength(seen);
    }
    const { sessions } = await deaf.agent.request("session/list", {});
    expect(sessions).toHaveLength(3);
  });
});
