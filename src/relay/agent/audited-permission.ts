/** Permissions that an agent asks for, as they are recorded: what for, and what was decided; no content. */
import type { AuditFacts, Ended } from "../../audit/audit.ts";
import { isRecord } from "../../base/json.ts";
import type { RelayContext } from "../context.ts";

const method = "session/request_permission";

export interface AuditedPermission {
  /** Errors: `AUDIT_FAILED` where it must be recorded and cannot be: then nobody is asked. */
  readonly asked: () => Promise<void>;
  /** Errors: `AUDIT_FAILED`: then nothing was allowed. @param answer undefined where there was none */
  readonly decided: (answer: unknown) => Promise<void>;
}

/** Undefined for other requests. */
export function permissionOf(
  { registry: { audit } }: RelayContext,
  asks: string,
  params: unknown,
  session: string,
): AuditedPermission | undefined {
  if (asks !== method || !isRecord(params)) return undefined;
  const facts = factsOf(params, audit.showsTitles);
  return {
    asked: () => audit.noted({ what: "permission.ask", session, facts }),
    decided: (answer) =>
      audit.noted({ what: "permission.decide", session, facts }, decisionIn(answer, params)),
  };
}

function factsOf({ toolCall }: Readonly<Record<string, unknown>>, showsTitles: boolean): AuditFacts {
  const { title, kind } = isRecord(toolCall) ? toolCall : {};
  return {
    title: showsTitles && typeof title === "string" ? title : undefined,
    kind: typeof kind === "string" ? kind : undefined,
  };
}

/** Of the option only the kind: its name may say anything. */
function decisionIn(answer: unknown, { options }: Readonly<Record<string, unknown>>): Ended {
  const { outcome, optionId } = isRecord(answer) && isRecord(answer.outcome) ? answer.outcome : {};
  if (outcome !== "selected")
    return { facts: { decision: outcome === "cancelled" ? "cancelled" : "failed" } };
  const option: unknown = Array.isArray(options)
    ? options.find((each) => isRecord(each) && each.optionId === optionId)
    : undefined;
  const kind: unknown = isRecord(option) ? option.kind : undefined;
  return { facts: { decision: typeof kind === "string" ? kind : "unknown" } };
}
