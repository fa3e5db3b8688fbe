/** How a person logs in to an agent, as far as the agent says it. */
import { isRecord } from "../base/json.ts";
import type { AgentCommand } from "../config/config.ts";

/** The ids of an agent's login methods. */
export function loginMethods(methods: unknown): string {
  if (!Array.isArray(methods) || methods.length === 0) return "none";
  return methods.map((method) => (isRecord(method) ? String(method.id) : "?")).join(", ");
}

/** What to do, one way after the other. */
export function loginFix(methods: unknown, agent: AgentCommand | undefined): string {
  const list: readonly unknown[] = Array.isArray(methods) ? methods : [];
  const ways = list.flatMap((method) => (isRecord(method) ? (wayOf(method, agent) ?? []) : []));
  if (ways.length > 0) return ways.join("; or ");
  return "start the agent's own program once and log in, or set the API key that it wants";
}

type Fields = Readonly<Record<string, unknown>>;

function wayOf(method: Fields, agent: AgentCommand | undefined): string | undefined {
  const own = terminalIn(method);
  if (own !== undefined) return `run ${shellLine(own)}`;
  // ACP: the agent's own command, followed by these arguments.
  if (Array.isArray(method.args) && agent !== undefined) {
    const { command, args } = agent;
    return `run ${shellLine([command, ...withoutSecrets(args), ...texts(method.args)])}`;
  }
  const variables = [method.varName, ...(Array.isArray(method.vars) ? method.vars.map(nameIn) : [])];
  const named = variables.filter((name) => typeof name === "string");
  return named.length > 0 ? `set ${named.join(" and ")}` : undefined;
}

/** What agents said before ACP had a form for it. */
function terminalIn({ _meta: meta }: Fields): string[] | undefined {
  const terminal = isRecord(meta) ? meta["terminal-auth"] : undefined;
  if (!isRecord(terminal) || typeof terminal.command !== "string") return undefined;
  return [terminal.command, ...texts(terminal.args)];
}

function nameIn(variable: unknown): unknown {
  return isRecord(variable) ? variable.name : variable;
}

function texts(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((each) => typeof each === "string") : [];
}

/** Arguments may hold secrets: what follows a flag with such a name is not shown. */
function withoutSecrets(args: readonly string[]): string[] {
  const secret = /^--?[\w-]*(?:key|token|secret|password)[\w-]*/i;
  return args.map((arg, at) => {
    if (secret.test(arg) && arg.includes("=")) return `${arg.split("=", 1)[0]}=***`;
    return secret.test(args[at - 1] ?? "") && !args[at - 1]?.includes("=") ? "***" : arg;
  });
}

function shellLine(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./*-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}
