/** Processes that are told to end, and take their time, or say nothing at all. */
import { createServer, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tellToEnd } from "../../src/local/ending.ts";
import { newPlace } from "../../src/local/place.ts";
import { machine, process_, type Machine } from "./rig.ts";

let here: Machine;
beforeEach(() => {
  here = machine();
});
afterEach(() => here.remove());

const end = (waitMs: number) => tellToEnd(process.pid, { sessionId: "S1" }, here.env, waitMs);

describe.skipIf(process.platform === "win32")("a process that is told to end", () => {
  it("is not waited for when it says nothing at all, as one that is stopped", async () => {
    const sockets: Socket[] = [];
    const frozen = createServer((socket) => void sockets.push(socket.on("error", () => undefined)));
    await new Promise<void>((resolve) => void newPlace(here.env).then((at) => frozen.listen(at, resolve)));
    try {
      expect(await end(10)).toEqual(["silent"]);
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => frozen.close(resolve));
    }
  });

  it("is waited for as long as it says that it is there", async () => {
    let done = (_: boolean) => undefined as void;
    const asked = await process_(here, { endSession: () => new Promise((resolve) => (done = resolve)) });
    try {
      // Longer than silence is waited for.
      setTimeout(() => done(true), 400);
      expect(await end(100)).toEqual(["ended"]);
    } finally {
      await asked.close();
    }
  });
});
