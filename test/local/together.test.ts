/** Real sidecars in this process, for which it answers at one endpoint. */
import { PassThrough } from "node:stream";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../src/base/log.ts";
import { endIn } from "../../src/local/answers.ts";
import { ask } from "../../src/local/client.ts";
import { machineFigures, machineStatus } from "../../src/local/machine.ts";
import { openLocal, type Local } from "../../src/local/serving.ts";
import { Together } from "../../src/local/together.ts";
import { runSidecar } from "../../src/sidecar.ts";
import { familiesIn, valueIn } from "../figures/scrape.ts";
import { machine, type Machine } from "./rig.ts";

let here: Machine;
let local: Local | undefined;
beforeEach(() => {
  here = machine();
});
afterEach(async () => {
  await local?.close();
  here.remove();
});

/** A client of a sidecar of its own, with a session and a turn behind it. */
async function client(together: Together) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const lines = createInterface(output)[Symbol.asyncIterator]();
  const said: string[] = [];
  const request = async (id: number, method: string, params: object): Promise<{ sessionId: string }> => {
    input.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    for (;;) {
      const { value } = (await lines.next()) as { value: string };
      const message = JSON.parse(value) as { id?: number; result: { sessionId: string } };
      if (message.id === id) return message.result;
      said.push(value);
    }
  };
  const running = runSidecar({ store: "memory:", logLevel: "silent" }, { input, output, together });
  await request(1, "initialize", { protocolVersion: 1 });
  const { sessionId } = await request(2, "session/new", { cwd: "/p", mcpServers: [] });
  const prompt = (id: number) =>
    request(id, "session/prompt", { sessionId, prompt: [{ type: "text", text: "hello" }] });
  await prompt(3);
  const leave = async () => {
    input.end();
    await running;
  };
  return { sessionId, said, prompt, leave };
}

describe.skipIf(process.platform === "win32")("a process with several clients", () => {
  it("answers for all of them, ends the session that is meant, and forgets who has left", async () => {
    const together = new Together();
    const [one, other] = [await client(together), await client(together)];
    const subject = { kind: "http" as const, agent: "none", store: "memory:", log: silentLogger };
    local = await openLocal(
      {
        ...subject,
        meter: together.meter,
        facts: () => together.facts(),
        endSession: (id) => together.end(id),
        endProcess: () => together.tellOfEnd(),
      },
      here,
    );
    const sessions = async () => (await machineStatus(here)).processes[0]?.sessions.map(({ id }) => id);
    expect(await sessions()).toEqual([one.sessionId, other.sessionId]);
    expect(here.sockets()).toHaveLength(1);
    const turns = async () =>
      valueIn(familiesIn(await machineFigures(here)), "acp_sidecar_turns_total", { outcome: "end_turn" });
    expect(await turns()).toBe(2);

    const end = (sessionId: string) =>
      ask(here.sockets()[0] ?? "", { method: "end", params: { sessionId }, timeoutMs: 5000 }, endIn);
    expect(await end(other.sessionId)).toMatchObject({ answer: { outcome: "ended" } });
    expect(await end("nobody's")).toMatchObject({ answer: { outcome: "notLive" } });
    expect(await sessions()).toEqual([one.sessionId]);
    await together.tellOfEnd();
    await one.prompt(4);
    await other.prompt(4);
    expect(one.said.join("")).toContain("was ended by `acp-sidecar stop`");
    expect(other.said.join("")).toContain("was ended by `acp-sidecar sessions end`");
    await one.leave();
    expect(await sessions()).toEqual([other.sessionId]);
    await other.leave();
    expect(await sessions()).toEqual([]);
    expect(await turns()).toBe(4);
  });
});
