/** `/sidecar …` among the agent's slash commands, and in a prompt: what `serve` knows of it before one is used. */
import { loggedReason } from "../../base/errors.ts";
import { isRecord } from "../../base/json.ts";
import type { PromptBody } from "../../acp/schema.ts";
import type { RelayContext } from "../context.ts";
import type { LiveSession } from "../live/session.ts";

const name = "sidecar";
export const commandsUpdate = "available_commands_update";

/** What follows `/sidecar` in a prompt, if it is ours to answer: an agent's command of that name wins. */
export function commandLineIn(
  { options }: RelayContext,
  live: LiveSession,
  [first, ...others]: PromptBody["prompt"],
): string | undefined {
  if (options.commands === "off" || live.hasItsOwnSidecar || others.length > 0) return undefined;
  if (first?.type !== "text" || typeof first.text !== "string") return undefined;
  return /^\s*\/sidecar(?:\s+([^]*))?$/
    .exec(first.text)
    ?.slice(1, 2)
    .map((line = "") => line.trim())[0];
}

/** An agent's list of commands, as an update without the session id, with ours after its own. */
export async function withOurs(
  { options }: Pick<RelayContext, "options">,
  live: LiveSession,
  data: string,
): Promise<string> {
  const parsed = JSON.parse(data) as { readonly update: Readonly<Record<string, unknown>> };
  const { availableCommands } = parsed.update;
  live.hasToldCommands = true;
  if (options.commands === "off" || !Array.isArray(availableCommands)) return data;
  const theirs: readonly unknown[] = availableCommands;
  live.hasItsOwnSidecar = theirs.some((each) => isRecord(each) && each.name === name);
  if (live.hasItsOwnSidecar) return data;
  const { advertised } = await import("./listed.ts");
  return JSON.stringify({
    ...parsed,
    update: { ...parsed.update, availableCommands: [...theirs, advertised] },
  });
}

/** Tells the clients of ours, where the agent of a new session has said nothing of its own. */
export function offerOurs(ctx: RelayContext, live: LiveSession): void {
  if (ctx.options.commands === "off") return;
  const offering = live.outbound(async () => {
    if (live.isHeld && !live.hasToldCommands) await live.attachments.sendStored(await oursAlone(ctx));
  });
  offering.catch((error: unknown) =>
    ctx.log.warn(
      { sessionId: live.id, error: loggedReason(error, ctx.log) },
      "the client was not told of our commands",
    ),
  );
}

/** A list of ours as an update. */
export async function oursAlone({ options }: Pick<RelayContext, "options">): Promise<readonly string[]> {
  if (options.commands === "off") return [];
  const { advertised } = await import("./listed.ts");
  return [JSON.stringify({ update: { sessionUpdate: commandsUpdate, availableCommands: [advertised] } })];
}
