/** The agent's command as it is run. */
import type { AgentCommand, Config } from "./config.ts";

/** The agent's command, which inherits no variable that a key of the store, or a token, is in. */
export function agentOf({
  agent,
  encryptionKey = "",
  previousKeys = [],
  token = "",
  auditSigningKey = "",
}: Pick<Config, "agent" | "encryptionKey" | "previousKeys" | "token" | "auditSigningKey">):
  | AgentCommand
  | undefined {
  const sources = [encryptionKey, token, auditSigningKey, ...previousKeys];
  const withheld = sources.filter((source) => source.startsWith("env:")).map((source) => source.slice(4));
  return agent === undefined || withheld.length === 0 ? agent : { ...agent, withheld };
}
