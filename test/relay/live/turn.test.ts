import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Turn, type TurnOutcome } from "../../../src/relay/live/turn.ts";

const cancelled: TurnOutcome = { type: "answer", result: { stopReason: "cancelled" } };
const finished: TurnOutcome = { type: "answer", result: { stopReason: "end_turn" } };
const struck: TurnOutcome = { type: "error", error: new Error("the store failed") };
const onDeaf = () => undefined;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function sentTurn(): Turn {
  const turn = new Turn();
  expect(turn.send()).toBe(true);
  return turn;
}

describe("a turn", () => {
  it("is queued, runs, and ends as the agent answers", async () => {
    const turn = new Turn();
    expect(turn.state).toBe("queued");
    turn.send();
    expect(turn.state).toBe("running");
    turn.agentAnswered(finished);
    expect(await turn.decided).toEqual(finished);
    expect(turn.conclude()).toEqual(finished);
    expect([turn.state, turn.isForced, turn.audience]).toEqual(["ended", false, "client"]);
  });

  it("ends at once when it is cancelled before it is sent, and is not sent then", () => {
    const turn = new Turn();
    turn.cancel(1000, onDeaf);
    expect(turn.send()).toBe(false);
    expect(turn.isAgentDone).toBe(true);
    expect(turn.conclude()).toEqual(cancelled);
  });

  it("that is cancelled has its grace time to end by itself, and is ended then, its questions too", async () => {
    const turn = sentTurn();
    const deaf = vi.fn();
    turn.cancel(1000, deaf);
    expect(turn.state).toBe("cancelling");
    vi.advanceTimersByTime(999);
    expect(turn.isForced).toBe(false);
    vi.advanceTimersByTime(1);
    expect(deaf).toHaveBeenCalledOnce();
    expect(await turn.decided).toEqual(cancelled);
    expect(turn.audience).toBe("journal");
    turn.agentAnswered(finished);
    expect(turn.audience).toBe("client");
    expect(turn.conclude()).toEqual(cancelled);
  });

  it("that is cancelled twice ends at the earlier of the two times", () => {
    const turn = sentTurn();
    turn.cancel(1000, onDeaf);
    turn.cancel(10, onDeaf);
    turn.cancel(1000, onDeaf);
    vi.advanceTimersByTime(10);
    expect(turn.isForced).toBe(true);
  });

  it("that ends in its grace time has no timer left", () => {
    const turn = sentTurn();
    turn.cancel(1000, onDeaf);
    turn.agentAnswered(finished);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("fails with what strikes the session, also when the agent has answered and the client does not know yet", () => {
    const turn = sentTurn();
    turn.agentAnswered(finished);
    turn.end(cancelled, "journal");
    turn.end(struck, "nobody");
    expect(turn.conclude()).toEqual(struck);
    turn.end(cancelled, "nobody");
    expect(turn.conclude()).toEqual(struck);
  });

  it("that was struck is heard by nobody until its agent is done, whatever is asked of it then", () => {
    const turn = sentTurn();
    turn.end(struck, "nobody");
    turn.cancel(0, onDeaf);
    vi.runAllTimers();
    expect([turn.audience, turn.conclude()]).toEqual(["nobody", struck]);
    turn.agentAnswered(finished);
    expect(turn.audience).toBe("client");
  });
});
