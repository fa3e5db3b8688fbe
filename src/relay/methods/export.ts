/**
 * `_acp-sidecar/export`: a stored session as one text, for a client to show or to keep. It wakes no agent and takes no
 * lease.
 */
import { exportParams, parseParams } from "../../acp/schema.ts";
import { SidecarError } from "../../base/errors.ts";
import { readWhole } from "../../session/read-whole.ts";
import { sessionNotFound } from "../../store/refusals.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import type { RelayContext } from "../context.ts";

/** An answer stands in memory whole, here and there: what is longer is for a file. */
const maxChars = 8 << 20;

const mimeTypes = {
  markdown: "text/markdown",
  html: "text/html",
  json: "application/json",
  jsonl: "application/x-ndjson",
  bundle: "application/x-ndjson",
} as const;

/** Errors: `SESSION_NOT_FOUND`, `INVALID_PARAMS`, `REQUEST_LIMIT`, `REQUEST_CANCELLED`. */
export async function exportToClient(
  ctx: RelayContext,
  params: unknown,
  { signal }: Pick<RequestContext, "signal">,
): Promise<unknown> {
  const parsed = parseParams(exportParams, "_acp-sidecar/export", params);
  const { SessionExport } = await import("../../history/export/export.ts");
  const { sessionId, format = "markdown", redact = false, thoughts = true, superseded = false } = parsed;
  return readWhole(async () => {
    const record = await ctx.holding.find(sessionId);
    if (record === undefined) throw sessionNotFound(sessionId);
    const exported = new SessionExport(ctx.registry, record, { format, redact, thoughts, superseded });
    let content = "";
    for await (const piece of exported) {
      signal.throwIfAborted();
      content += piece;
      if (content.length > maxChars) throw tooLong(sessionId, record.id, format);
    }
    const redactions = redact ? { redactions: exported.redactions } : {};
    return { sessionId, format, mimeType: mimeTypes[format], content, ...redactions };
  });
}

function tooLong(sessionId: string, id: string, format: string): SidecarError {
  const command = `acp-sidecar export ${id} --format ${format} --out FILE`;
  return new SidecarError(
    "REQUEST_LIMIT",
    `The export has more than ${maxChars} characters, too many for an answer; write it to a file: ${command}`,
    { data: { sessionId, maxChars } },
  );
}
