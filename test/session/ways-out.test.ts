import { describe, expect, it } from "vitest";
import { SidecarError } from "../../src/base/errors.ts";
import { newSessionId } from "../../src/base/ids.ts";
import { withWaysOut } from "../../src/session/ways-out.ts";
import { noLongerLent } from "../../src/store/guarded/refusals.ts";
import { leaseLost, sessionBusy } from "../../src/store/refusals.ts";

const id = newSessionId();
const holder = { host: "elsewhere/machine", pid: 7, startedAt: "1" };
const lease = { holder, fence: 2, sinceMs: 1, expiresAtMs: 2, turnRunning: true };

describe("what can be done about a session that others have", () => {
  it("is told an editor in its words, and who asks by a command or over HTTP in others", () => {
    const held = `Session ${id} is held by process 7 on elsewhere`;
    const busy = sessionBusy(id, lease);
    expect(busy.message).toBe(`${held} with a turn running`);
    expect(withWaysOut(busy, "editor")).toBe(
      `${held} with a turn running; end it there, or start with --on-busy takeover`,
    );
    expect(withWaysOut(busy, "request")).toBe(
      `${held} with a turn running; wait for it, or end it there: acp-sidecar sessions end ${id}`,
    );
    for (const [lost, said] of [
      [leaseLost(id, lease), held],
      [leaseLost(id, undefined), `Session ${id} was taken over and let go again`],
    ] as const) {
      expect(withWaysOut(lost, "editor")).toBe(`${said}; load it again to take it back`);
      expect(withWaysOut(lost, "request")).toBe(`${said}; ask again when it is free`);
    }
  });

  it("is nothing where one may not write any more, or the failure says itself what to do", () => {
    const others = [
      noLongerLent(id),
      new SidecarError("SESSION_BUSY", "It has a turn running; cancel it first", { data: { sessionId: id } }),
      new SidecarError("SESSION_NOT_FOUND", "No session", { data: { sessionId: id } }),
    ];
    for (const error of others)
      for (const front of ["editor", "request"] as const)
        expect(withWaysOut(error, front)).toBe(error.message);
  });
});
