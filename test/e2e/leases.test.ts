/** Two sidecars on one SQLite file: who may write, who is told what, and that nothing is lost. */
import { describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import { isAlive, processesOutliving } from "./harness/processes.ts";
import type { SdkClient } from "./harness/sdk-client.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();

interface Pair {
  readonly first: SdkClient;
  readonly second: SdkClient;
  readonly sessionId: string;
}

/** A session held by the first of two sidecars on one store, after one turn. */
async function pair(secondArgs: readonly string[] = [], firstArgs: readonly string[] = []): Promise<Pair> {
  const store = harness.storeUrl();
  const agent = ["agent.mjs", "--load", "--state", harness.path("state")];
  const [first, second] = await Promise.all([
    harness.connect({ agent, store, args: firstArgs }),
    harness.connect({ agent, store, args: secondArgs }),
  ]);
  const { sessionId } = await first.newSession(cwd);
  await first.prompt(sessionId, "by the first");
  return { first, second, sessionId };
}

async function startTurn(client: SdkClient, sessionId: string) {
  const from = client.program.out.length;
  const turn = client.prompt(sessionId, "until-cancel");
  await client.untilUpdate(sessionId, () => true, from);
  return { turn };
}

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as { code: number; message: string; data: Record<string, unknown> },
  );

/** In words too, which may come after the refusal: behind them what is loaded is all that comes. */
const toldOf = (client: SdkClient, sessionId: string, from = 0) =>
  client.untilUpdate(sessionId, (update) => JSON.stringify(update).includes("taken over elsewhere"), from);

describe("an idle holder", () => {
  it("is taken over by whoever loads, is told so, and may load it back; nothing is lost [REQ lease-idle, lease-lost]", async () => {
    const { first, second, sessionId } = await pair();
    expect(textOf(await second.replay(sessionId, cwd))).toBe("echo: by the first");
    await second.prompt(sessionId, "by the second");

    const lost = await refusal(first.prompt(sessionId, "too late"));
    expect(lost).toMatchObject({ code: -32011, data: { code: "LEASE_LOST", sessionId } });
    expect(lost?.message).toContain(String(second.program.pid));
    expect(lost?.message).toMatch(/load/i);
    await toldOf(first, sessionId);

    const from = second.program.out.length;
    expect(textOf(await first.replay(sessionId, cwd))).toBe("echo: by the firstecho: by the second");
    expect(await first.say(sessionId, "back again")).toBe("echo: back again");
    expect((await refusal(second.prompt(sessionId, "x")))?.data).toMatchObject({ code: "LEASE_LOST" });
    await toldOf(second, sessionId, from);
    const all = textOf(await second.replay(sessionId, cwd));
    expect(all).toBe("echo: by the firstecho: by the secondecho: back again");
  });

  it("is refused to a sidecar that must not take over [REQ lease-on-busy-error]", async () => {
    const { first, second, sessionId } = await pair(["--on-busy", "error"]);
    const busy = await refusal(second.load(sessionId, cwd));
    expect(busy).toMatchObject({
      code: -32010,
      data: { code: "SESSION_BUSY", holder: { pid: first.program.pid } },
    });
    await first.agent.request("session/close", { sessionId });
    await second.load(sessionId, cwd);
  });
});

describe("a holder in a turn", () => {
  it("refuses, naming itself and since when, until the turn is over [REQ lease-turn]", async () => {
    const { first, second, sessionId } = await pair();
    const { turn } = await startTurn(first, sessionId);
    const busy = await refusal(second.load(sessionId, cwd));
    const holder = { pid: first.program.pid, host: expect.any(String) as string };
    expect(busy).toMatchObject({ code: -32010, data: { code: "SESSION_BUSY", sessionId, holder } });
    expect(Date.parse(String(busy?.data["since"]))).toBeGreaterThan(Date.now() - 60_000);
    expect(busy?.message).toContain(String(first.program.pid));
    await first.cancel(sessionId);
    expect(await turn).toMatchObject({ stopReason: "cancelled" });
    await second.load(sessionId, cwd);
    expect(await second.say(sessionId, "mine")).toBe("echo: mine");
  });

  it("gives way to --on-busy takeover, and its prompt ends with LEASE_LOST [REQ lease-on-busy-takeover, lease-lost]", async () => {
    const { first, second, sessionId } = await pair(["--on-busy", "takeover"]);
    const { turn } = await startTurn(first, sessionId);
    const ended = refusal(turn);
    const replayed = textOf(await second.replay(sessionId, cwd));
    expect(replayed).toBe("echo: by the firstbefore ");
    expect(await second.say(sessionId, "mine")).toBe("echo: mine");
    await first.cancel(sessionId);
    expect((await ended)?.data).toMatchObject({ code: "LEASE_LOST" });
    const all = textOf(await second.replay(sessionId, cwd));
    expect(all).toBe("echo: by the firstbefore echo: mine");
  });
});

describe("a holder that is no more", () => {
  it("holds nothing once its process is dead, even in a turn [REQ lease-dead]", async () => {
    const { first, second, sessionId } = await pair(["--on-busy", "error"]);
    const { turn } = await startTurn(first, sessionId);
    const ended = refusal(turn);
    await harness.crash(first.program);
    expect(textOf(await second.replay(sessionId, cwd))).toBe("echo: by the firstbefore ");
    expect(await second.say(sessionId, "mine")).toBe("echo: mine");
    expect(await ended).toBeDefined();
  });

  it("holds nothing once its lease has run out, and can write nothing when it wakes [REQ lease-expired, lease-lost]", async () => {
    const { first, second, sessionId } = await pair(["--on-busy", "error"], ["--lease-ttl", "600ms"]);
    first.program.kill("SIGSTOP");
    await expect.poll(() => refusal(second.load(sessionId, cwd)), { timeout: 8000 }).toBeUndefined();
    await second.prompt(sessionId, "by the second");
    first.program.kill("SIGCONT");
    expect((await refusal(first.prompt(sessionId, "late")))?.data).toMatchObject({ code: "LEASE_LOST" });
    const all = textOf(await second.replay(sessionId, cwd));
    expect(all).toBe("echo: by the firstecho: by the second");
  });

  const another = { tags: ["long"] };
  it(
    "does not let its left-over agent live on, which whoever loads its session ends [REQ leftover-agent]",
    another,
    async () => {
      const store = harness.storeUrl();
      const other = await harness.connect({ store });
      const killed = await harness.connect({ agent: ["stubborn.mjs"], store });
      const { sessionId } = await killed.newSession(cwd);
      await killed.prompt(sessionId, "hello");
      const leftOver = killed.program.agents()[0]?.pid ?? 0;
      await harness.crash(killed.program);
      expect(isAlive(leftOver)).toBe(true);
      await other.load(sessionId, cwd);
      expect(await processesOutliving(killed.program.mark, 5000)).toEqual([]);
    },
  );

  it("or the next that starts, whatever it serves [REQ leftover-agent]", async () => {
    const killed = await harness.connect({ agent: ["stubborn.mjs"], store: "memory:" });
    await killed.newSession(cwd);
    const leftOver = killed.program.agents()[0]?.pid ?? 0;
    await harness.crash(killed.program);
    expect(isAlive(leftOver)).toBe(true);
    await harness.connect({ store: harness.storeUrl() });
    expect(await processesOutliving(killed.program.mark, 5000)).toEqual([]);
  });
});

describe("several that load at once", () => {
  it("leave exactly one that may write [REQ lease-race]", async () => {
    const { first, second, sessionId } = await pair();
    await first.agent.request("session/close", { sessionId });
    for (let round = 1; round <= 5; round += 1) {
      const loaded = await Promise.all([first, second].map((client) => refusal(client.load(sessionId, cwd))));
      const refused = loaded.flatMap((error) => (error === undefined ? [] : [error.data["code"]]));
      expect(["", "LEASE_LOST"]).toContain(refused.join());
      const wrote = await Promise.all(
        [first, second].map((client, n) => refusal(client.prompt(sessionId, `round-${round}-${n}`))),
      );
      // Whether its load was answered or struck: who lost the session has to load it again.
      const losers = wrote.flatMap((error) => (error === undefined ? [] : [error.data["code"]]));
      expect(losers).toEqual(["LEASE_LOST"]);
    }
    await first.load(sessionId, cwd);
    const said = textOf(await first.replay(sessionId, cwd)).match(/round-\d/g);
    expect(said).toEqual(["round-1", "round-2", "round-3", "round-4", "round-5"]);
  });
});
