import { metrics, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toSessionId } from "../../src/base/ids.ts";
import { silentLogger, type Logger } from "../../src/base/log.ts";
import { Meter } from "../../src/base/meter.ts";
import { counterNames, gaugeNames, timeNames } from "../../src/figures/instruments.ts";
import { openTelemetry } from "../../src/figures/open-telemetry.ts";
import { counters, gauges, times } from "../../src/figures/table.ts";
import { machine, process_, type Asked, type Machine } from "../local/rig.ts";
import { rig, type Rig, type RigOptions } from "../relay/rig.ts";
import { forgetSdk, registerSdk } from "./telemetry-sdk.ts";

const asked = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" };
const traceId = "80e1afed08e019fc1110464cfa66635c";
const traceparent = `00-${traceId}-7a085853722dc6d2-01`;

let here: Machine;
let local: Asked | undefined;
let relay: Rig | undefined;
beforeEach(() => {
  here = machine();
});
afterEach(async () => {
  await relay?.close();
  await local?.close();
  [local, relay] = [undefined, undefined];
  forgetSdk();
  here.remove();
});

/** A relay whose process tells OpenTelemetry; what the relay does before `open` is told then. */
async function served(options: RigOptions = {}) {
  const meter = new Meter();
  relay = await rig({ ...options, meter });
  const { client } = relay;
  const warnings: string[] = [];
  const log: Logger = { ...silentLogger, warn: (_fields, message) => void warnings.push(message) };
  return {
    relay,
    warnings,
    open: async (env: object = asked) =>
      (local = await process_({ ...here, env: { ...here.env, ...env } }, { meter, log })),
    prompt: (sessionId: string, _meta?: object) =>
      client.request("session/prompt", {
        sessionId,
        prompt: [{ type: "text", text: "MARKER-SAID" }],
        ...(_meta && { _meta }),
      }),
  };
}

describe("OpenTelemetry", () => {
  it("has a span of each turn, with gen_ai names, within the client's trace, and nothing that was said", async () => {
    const sdk = registerSdk();
    const usage = { inputTokens: 100, outputTokens: 20, cachedReadTokens: 60, thoughtTokens: 5 };
    const { relay, open, prompt } = await served({
      script: { "session/prompt": () => ({ stopReason: "end_turn", usage }) },
    });
    const id = await relay.newSession();
    const sinceMs = Date.now();
    await prompt(id, { traceparent, tracestate: "vendor=1" });
    await open();
    expect(sdk.spans).toHaveLength(1);
    const [span] = sdk.spans;
    expect(span).toMatchObject({ name: "invoke_agent scripted", kind: SpanKind.CLIENT });
    expect(span?.attributes).toEqual({
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.provider.name": "acp",
      "gen_ai.agent.name": "scripted",
      "gen_ai.agent.version": "1",
      "gen_ai.conversation.id": id,
      "gen_ai.response.finish_reasons": ["end_turn"],
      "gen_ai.usage.input_tokens": 100,
      "gen_ai.usage.output_tokens": 20,
      "gen_ai.usage.cache_read.input_tokens": 60,
      "gen_ai.usage.reasoning.output_tokens": 5,
    });
    expect(span?.parent).toMatchObject({
      traceId,
      spanId: "7a085853722dc6d2",
      traceFlags: 1,
      isRemote: true,
    });
    expect(span?.parent?.traceState?.get("vendor")).toBe("1");
    expect(span?.status).toBeUndefined();
    const [began, ended] = [span?.startTime as Date, span?.endTime as Date].map((each) => each.getTime());
    expect(began).toBeGreaterThanOrEqual(sinceMs);
    expect(ended).toBeGreaterThanOrEqual(began ?? Infinity);
    await prompt(id);
    expect(sdk.spans).toHaveLength(2);
    const { cwd } = await relay.registry.get(toSessionId(id));
    for (const hidden of ["MARKER", cwd]) expect(JSON.stringify(sdk.spans)).not.toContain(hidden);
  });

  it("has how a turn ended: an error by its code alone; one that was cancelled is none", async () => {
    const sdk = registerSdk();
    const ends = [
      () => ({ stopReason: "cancelled" }),
      () => ({ stopReason: "MARKER-REASON" }),
      () => {
        throw new Error("MARKER-ERROR");
      },
    ];
    const { relay, open, prompt } = await served({ script: { "session/prompt": () => ends.shift()?.() } });
    await open();
    const id = await relay.newSession();
    await prompt(id);
    await prompt(id);
    await expect(prompt(id)).rejects.toThrow();
    const [cancelled, other, failed] = sdk.spans;
    expect(cancelled?.attributes).toMatchObject({ "gen_ai.response.finish_reasons": ["cancelled"] });
    expect(other?.attributes).toMatchObject({ "gen_ai.response.finish_reasons": ["other"] });
    expect([cancelled?.status, other?.status]).toEqual([undefined, undefined]);
    expect(failed?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(failed?.attributes).toMatchObject({ "error.type": "-32603" });
    expect(JSON.stringify(sdk.spans)).not.toContain("MARKER");
  });

  it("begins a trace of its own where the client's is none", async () => {
    const sdk = registerSdk();
    const { relay, open, prompt } = await served();
    await open();
    const id = await relay.newSession();
    const strange = [
      "",
      7,
      "x".repeat(1e5),
      traceparent.toUpperCase(),
      `${traceparent}-more`,
      traceparent.replace(/^00/, "ff"),
      traceparent.replace(traceId, "0".repeat(32)),
      traceparent.replace("7a085853722dc6d2", "0".repeat(16)),
    ];
    for (const each of strange) await prompt(id, { traceparent: each });
    expect(sdk.spans.map(({ parent }) => parent)).toEqual(strange.map(() => undefined));
    await prompt(id, { traceparent: `01${traceparent.slice(2)}-more` });
    expect(sdk.spans.at(-1)?.parent).toMatchObject({ traceId });
  });

  it("collects the figures as they are then, and has times as they come", async () => {
    const sdk = registerSdk();
    const { relay, open, prompt } = await served();
    const id = await relay.newSession();
    await prompt(id);
    await open();
    await prompt(id);
    const seen = await sdk.collect();
    expect(seen.get("acp_sidecar.turns")).toEqual([{ value: 2, attributes: { outcome: "end_turn" } }]);
    expect(seen.get("acp_sidecar.requests")).toContainEqual({
      value: 2,
      attributes: { method: "session/prompt", outcome: "ok" },
    });
    expect(seen.get("acp_sidecar.sessions.live")).toEqual([{ value: 1, attributes: {} }]);
    expect(sdk.instruments.get("acp_sidecar.turn.duration")?.recorded).toHaveLength(2);
    await prompt(id);
    expect((await sdk.collect()).get("acp_sidecar.turns")?.[0]?.value).toBe(3);
    await local?.close();
    expect(sdk.flushed).toBe(2);
    expect(sdk.callbacks.size).toBe(0);
  });

  it("names figures so that Prometheus has them by the names of our own", () => {
    const names = (table: Readonly<Record<string, readonly [string, string]>>, end: string) =>
      Object.entries(table).map(([key, [name, unit]]) => {
        const behind = { s: "_seconds", By: "_bytes" }[unit] ?? "";
        return [key, `${name.replaceAll(".", "_")}${behind}${end}`];
      });
    const ours = (table: Readonly<Record<string, { readonly name: string }>>) =>
      Object.entries(table).map(([key, { name }]) => [key, name]);
    expect(names(counterNames, "_total").sort()).toEqual(ours(counters).sort());
    expect(names(timeNames, "").sort()).toEqual(ours(times).sort());
    const known = ours(gauges).filter(([key = ""]) => key in gaugeNames);
    expect(names(gaugeNames, "").sort()).toEqual(known.sort());
  });
});

describe("without OpenTelemetry", () => {
  const log = (said: string[]): Logger => ({
    ...silentLogger,
    warn: (_fields, text) => void said.push(text),
  });

  it("nothing is loaded unless it is asked for, and not where it is disabled", async () => {
    const load = () => Promise.reject(new Error("was loaded"));
    const said: string[] = [];
    for (const env of [{}, { OTEL_EXPORTER_OTLP_ENDPOINT: "" }, { ...asked, OTEL_SDK_DISABLED: "true" }])
      expect(await openTelemetry({ env, log: log(said), load })).toBeUndefined();
    expect(said).toEqual([]);
  });

  it("the log says in one line that the package is missing, or that nobody has loaded an SDK", async () => {
    const said: string[] = [];
    const absent: string = "no-such-package-of-open-telemetry";
    const load = (): Promise<unknown> => import(absent);
    expect(await openTelemetry({ env: asked, log: log(said), load })).toBeUndefined();
    expect(said).toEqual([expect.stringMatching(/@opentelemetry\/api is not installed/)]);
    const { warnings, open, prompt, relay } = await served();
    await open();
    await prompt(await relay.newSession());
    expect(warnings).toEqual([expect.stringMatching(/no OpenTelemetry SDK is loaded/)]);
  });

  it("an SDK that throws at everything, or exports for ever, costs no turn, and one line in the log", async () => {
    const fail = (): never => {
      throw new Error("broken");
    };
    const forceFlush = () => Promise.reject(new Error("broken"));
    trace.setGlobalTracerProvider({
      getTracer: () => ({ startSpan: fail, startActiveSpan: fail }),
      forceFlush,
    } as never);
    const make = () => ({ record: fail });
    const meter = {
      createObservableCounter: make,
      createObservableUpDownCounter: make,
      createHistogram: make,
      addBatchObservableCallback: fail,
      removeBatchObservableCallback: fail,
    };
    const forEver = () => new Promise<void>(() => undefined);
    metrics.setGlobalMeterProvider({ getMeter: () => meter, forceFlush: forEver } as never);
    const { warnings, open, prompt, relay } = await served();
    await open();
    await expect(prompt(await relay.newSession())).resolves.toMatchObject({ stopReason: "end_turn" });
    await local?.close();
    local = undefined;
    expect(warnings).toEqual([expect.stringMatching(/OpenTelemetry has failed/)]);
  });
});
