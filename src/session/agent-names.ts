/** What the agent of a session is called, and by which words it is found. */
import path from "node:path";
import { isRecord, textOr } from "../base/json.ts";
import type { SessionRecord } from "../store/contract.ts";

type WithAgent = Pick<SessionRecord, "agent">;

/** Its title, its name, its program: what there is of them. */
export function agentNamesOf({ agent }: WithAgent): readonly string[] {
  const { title, name } = isRecord(agent?.info) ? agent.info : {};
  const program = agent?.command === undefined ? "" : path.basename(agent.command);
  return [textOr(title, ""), textOr(name, ""), program].filter((each) => each !== "");
}

/** The first of its names; "" for an agent that has none. */
export function agentNameOf(of: WithAgent): string {
  return agentNamesOf(of)[0] ?? "";
}

/** With its version, where that is known. */
export function agentLineOf(of: WithAgent): string {
  const { version } = isRecord(of.agent?.info) ? of.agent.info : {};
  return `${agentNameOf(of)} ${textOr(version, "")}`.trim();
}

/** Whether one of its names, or the path of its program, has this in it. */
export function agentHas(of: WithAgent, part: string): boolean {
  return hasPart([...agentNamesOf(of), of.agent?.command], part);
}

/** Whether one of the texts has this in it, in capitals or not. */
export function hasPart(texts: readonly (string | undefined)[], part: string): boolean {
  const wanted = part.toLowerCase();
  return texts.some((text) => text?.toLowerCase().includes(wanted));
}
