/** A session that an editor's sidecar has taken over from `acp-sidecar http`: what a request is told of it, and can do. */
import { describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import { httpServer } from "./harness/http-server.ts";
import type { SdkClient } from "./harness/sdk-client.ts";

const harness = useHarness();
const cwd = harness.project();
const agent = ["agent.mjs", "--load"];

/** Prompted over HTTP, then loaded by an editor. */
async function takenOver(args: readonly string[] = []) {
  const store = harness.storeUrl();
  const server = await httpServer(harness, { store, args, agent });
  const editor = await harness.connect({ agent, store, args: ["--lease-ttl", "3s"] });
  const { json } = await server.ask("POST", "/api/sessions", { cwd });
  const sessionId = String(json["id"]);
  const prompt = (text: string) => server.ask("POST", `/api/sessions/${sessionId}/prompt`, { prompt: text });
  expect((await prompt("over HTTP")).json).toMatchObject({ stopReason: "end_turn" });
  await editor.load(sessionId, cwd);
  return { ...server, prompt, editor, sessionId, at: `/api/sessions/${sessionId}` };
}

const busyWith = ({ program: { pid } }: SdkClient, turnRunning: boolean) => ({
  status: 409,
  json: { code: "SESSION_BUSY", turnRunning, holder: { pid } },
});

describe("a session that an editor has taken over from HTTP", () => {
  it("is busy while a turn runs there: each request is told the holder, from the first on, and the turn goes on", async () => {
    await using server = await takenOver();
    const { editor, sessionId, at, ask, prompt } = server;
    const from = editor.program.out.length;
    const turn = editor.prompt(sessionId, "until-cancel");
    await editor.untilUpdate(sessionId, () => true, from);
    const busy = busyWith(editor, true);
    for (const text of ["first", "second"]) expect(await prompt(text)).toMatchObject(busy);
    const { detail } = (await prompt("third")).json;
    expect(detail).toContain(`end it there: acp-sidecar sessions end ${sessionId}`);
    expect(await ask("POST", `${at}/cancel`)).toMatchObject(busy);
    expect(await ask("POST", `${at}/rewind`, { toSeq: 0 })).toMatchObject(busy);
    expect(await ask("DELETE", at)).toMatchObject(busy);
    expect((await ask("POST", `${at}/fork`, {})).status).toBe(201);
    expect((await ask("PATCH", at, { title: "Named meanwhile" })).status).toBe(200);
    await editor.cancel(sessionId);
    expect(await turn).toMatchObject({ stopReason: "cancelled" });
    expect((await prompt("when it is over")).json).toMatchObject({ stopReason: "end_turn" });
    const { items } = (await ask("GET", `${at}/history`)).json as { items: { by?: string }[] };
    expect(items.filter(({ by }) => by === "user")).toHaveLength(3);
  });

  it("is taken back by the first prompt where nothing runs, and the editor is told", async () => {
    await using server = await takenOver();
    const { editor, sessionId, prompt } = server;
    expect((await prompt("mine again")).json).toMatchObject({ stopReason: "end_turn" });
    await editor.untilUpdate(sessionId, (update) => JSON.stringify(update).includes("taken over elsewhere"));
  });

  it("is busy as long as the editor has it open, where nobody is taken anything from", async () => {
    await using server = await takenOver(["--on-busy", "error"]);
    const { editor, sessionId, prompt } = server;
    for (const text of ["first", "second"]) expect(await prompt(text)).toMatchObject(busyWith(editor, false));
    await editor.agent.request("session/close", { sessionId });
    expect((await prompt("it is closed")).json).toMatchObject({ stopReason: "end_turn" });
  });
});
