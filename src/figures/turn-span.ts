/**
 * A turn as a span, by OpenTelemetry's conventions for generative AI, which are in development.
 * https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-agent-spans.md
 */
import type { Attributes, Context, Tracer } from "@opentelemetry/api";
import type * as Api from "@opentelemetry/api";
import type { EndedTurn } from "../base/meter.ts";
import { allowedValues, counters } from "./table.ts";

type Parts = Pick<
  typeof Api,
  "trace" | "createTraceState" | "isSpanContextValid" | "SpanKind" | "SpanStatusCode" | "ROOT_CONTEXT"
>;

/** By our kinds of tokens. */
const usageNames: Readonly<Record<string, string>> = {
  input: "gen_ai.usage.input_tokens",
  output: "gen_ai.usage.output_tokens",
  cached_read: "gen_ai.usage.cache_read.input_tokens",
  cached_write: "gen_ai.usage.cache_creation.input_tokens",
  thought: "gen_ai.usage.reasoning.output_tokens",
};

/** Begun and ended at once, with the times of the turn: one that nobody has ended is nobody's. */
export function tellTurn(api: Parts, tracer: Tracer, turn: EndedTurn): void {
  const { agent, sinceMs, durationMs, errorCode } = turn;
  const span = tracer.startSpan(
    agent.name === undefined ? "invoke_agent" : `invoke_agent ${agent.name}`,
    // The agent is another process.
    { kind: api.SpanKind.CLIENT, startTime: new Date(sinceMs), attributes: attributesOf(turn) },
    parentOf(api, turn.trace),
  );
  // What the error says is not told: it may quote what was said.
  if (errorCode !== undefined) span.setStatus({ code: api.SpanStatusCode.ERROR });
  span.end(new Date(sinceMs + durationMs));
}

function attributesOf({ agent, sessionId, outcome, errorCode, tokens }: EndedTurn): Attributes {
  const attributes: Attributes = {
    "gen_ai.operation.name": "invoke_agent",
    // Required. Whose model the agent asks is not known here; that it is asked by this protocol is.
    "gen_ai.provider.name": "acp",
    "gen_ai.conversation.id": sessionId,
  };
  if (agent.name !== undefined) attributes["gen_ai.agent.name"] = agent.name;
  if (agent.version !== undefined) attributes["gen_ai.agent.version"] = agent.version;
  if (errorCode !== undefined) attributes["error.type"] = errorCode;
  else
    attributes["gen_ai.response.finish_reasons"] = [allowedValues(counters.turns.labels, outcome) ?? "other"];
  for (const [kind, count] of Object.entries(tokens)) {
    const name = usageNames[kind];
    if (name !== undefined) attributes[name] = count;
  }
  return attributes;
}

/** Version, trace, parent, flags; a later version may say more behind them. */
const traceparentForm = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/**
 * As W3C Trace Context says: what is no `traceparent` begins a trace of its own.
 * https://www.w3.org/TR/trace-context/#traceparent-header
 */
function parentOf(api: Parts, { traceparent = "", tracestate }: EndedTurn["trace"]): Context {
  const [, version, traceId = "", spanId = "", flags = "", more] = traceparentForm.exec(traceparent) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined))
    return api.ROOT_CONTEXT;
  const named = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
    ...(tracestate !== undefined && { traceState: api.createTraceState(tracestate) }),
  };
  return api.isSpanContextValid(named) ? api.trace.setSpanContext(api.ROOT_CONTEXT, named) : api.ROOT_CONTEXT;
}
