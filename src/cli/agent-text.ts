/** An agent's command in words: how it is called, without what may be secret. */
import type { AgentCommand } from "../config/config.ts";
import { countText } from "./print.ts";

/** `opencode acp`: of the arguments only those before all others that ask for ACP. Any other may be a secret. */
export function agentLine(agent: AgentCommand | undefined): string {
  if (agent === undefined) return "echo (built in)";
  return [agent.command, ...shownArguments(agent)].join(" ");
}

/** The same, and how much of it is not shown. */
export function agentText(agent: AgentCommand | undefined): string {
  if (agent === undefined) return agentLine(agent);
  const args = agent.args.length - shownArguments(agent).length;
  const variables = Object.keys(agent.env ?? {}).length;
  const hidden = [
    ...(args === 0 ? [] : [countText(args, "argument")]),
    ...(variables === 0 ? [] : [countText(variables, "variable")]),
  ];
  return hidden.length === 0 ? agentLine(agent) : `${agentLine(agent)} (${hidden.join(", ")} not shown)`;
}

function shownArguments({ args }: AgentCommand): readonly string[] {
  const other = args.findIndex((arg) => !/^-{0,2}(?:[a-z]{1,20}-){0,3}acp$/.test(arg));
  return other < 0 ? args : args.slice(0, other);
}
