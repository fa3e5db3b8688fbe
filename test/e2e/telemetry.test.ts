/** OpenTelemetry in a real process, with an SDK that is loaded as a user loads it. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";

const harness = useHarness();
const sdk = pathToFileURL(fileURLToPath(new URL("../fixtures/telemetry/sdk.mjs", import.meta.url))).href;

it("a turn is a span that is exported before the process ends, and none without the variable", async () => {
  const traceId = "80e1afed08e019fc1110464cfa66635c";
  const _meta = { traceparent: `00-${traceId}-7a085853722dc6d2-01` };
  const run = async (more: Readonly<Record<string, string>>) => {
    const file = harness.path("spans.jsonl");
    const env = { NODE_OPTIONS: `--import=${sdk}`, TELEMETRY_FILE: file, ...more };
    const client = await harness.connectRaw({ env });
    const sessionId = await client.newSession(harness.dir);
    await client.request("session/prompt", {
      sessionId,
      prompt: [{ type: "text", text: "stream 1" }],
      _meta,
    });
    await harness.stop(client.program);
    return { sessionId, spans: existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [] };
  };
  const { sessionId, spans } = await run({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" });
  expect(spans.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({
      traceId,
      attributes: expect.objectContaining({ "gen_ai.conversation.id": sessionId }) as unknown,
    }),
  ]);
  expect((await run({})).spans).toEqual([]);
});
