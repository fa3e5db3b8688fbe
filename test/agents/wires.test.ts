/** Wires of real agents, recorded by `npm run agents`: what was drawn live is drawn after a load, too. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Drawing } from "../differential/drawing.ts";
import { useHarness } from "../e2e/harness/harness.ts";
import { root } from "../e2e/harness/paths.ts";
import type { RawClient } from "../e2e/harness/raw-client.ts";
import type { Program } from "../e2e/harness/program.ts";
import type { Message } from "../e2e/harness/wire.ts";

const harness = useHarness();
const folder = join(root, "test/fixtures/wires");
const prompts = ["mark-1 hello", "run: touch made-here && echo mark-2", "which marks?"];

for (const [at, file] of readdirSync(folder).entries())
  describe(`the wire of ${file}`, { tags: at === 0 ? [] : ["long"] }, () => {
    it("is drawn after a restart and a load as it was drawn live, however often", async () => {
      const [store, cwd] = [harness.storeUrl(), harness.project()];
      const start = async () => {
        const client = await harness.connectRaw({ agent: ["wire.mjs", join(folder, file)], store });
        answerAll(client.program, client);
        return client;
      };
      let client = await start();
      const { out } = client.program;
      let seen = out.length;
      const sessionId = await client.newSession(cwd);
      const live = new Drawing();
      // What comes on its own, such as the agent's commands, may be there before a prompt or with it.
      const drawRest = () => {
        for (const update of out.updates(sessionId, seen)) live.take(update);
        seen = out.length;
      };
      for (const text of prompts) {
        drawRest();
        const answered = client.prompt(sessionId, text);
        live.prompted([{ type: "text", text }]);
        await answered;
        drawRest();
      }
      expect(JSON.stringify(live.result())).toContain("mark-2");
      for (let cycle = 0; cycle < 2; cycle += 1) {
        await harness.stop(client.program);
        client = await start();
        const loaded = new Drawing();
        const from = client.program.out.length;
        await client.request("session/load", { sessionId, cwd, mcpServers: [] });
        for (const update of client.program.out.updates(sessionId, from)) loaded.take(update);
        expect(loaded.result()).toEqual(live.result());
      }
      await harness.stop(client.program);
    });
  });

it("are there", () => {
  for (const file of readdirSync(folder))
    expect(readFileSync(join(folder, file), "utf8")).not.toMatch(/\/tmp\//);
});

/** As a person would who allows everything, with an editor that knows nothing else. */
function answerAll({ out }: Program, client: RawClient): void {
  let from = 0;
  const isAsked = ({ method, id }: Message) => method !== undefined && id !== undefined;
  const next = async () => {
    const { id, method, params } = await out.waitFor("a request", isAsked, { from, timeoutMs: 600_000 });
    from =
      out.entries.findIndex(
        ({ message }, at) => at >= from && message !== undefined && isAsked(message) && message.id === id,
      ) + 1;
    if (method === "session/request_permission") {
      const [option] = params?.["options"] as readonly { readonly optionId: string }[];
      const outcome = { outcome: "selected", optionId: option?.optionId };
      client.send({ jsonrpc: "2.0", id, result: { outcome } });
    } else client.send({ jsonrpc: "2.0", id, error: { code: -32601, message: "Method not found" } });
    await next();
  };
  next().catch(() => undefined);
}
