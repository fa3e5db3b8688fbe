/** The agent's command as it is run. */
import type { AgentCommand, Config } from "./config.ts";

type Secretive = Pick<Config, "encryptionKey" | "previousKeys" | "token" | "auditSigningKey">;

/** Names of variables that a key of the store, or a token, is in: no program that we start inherits them. */
export function withheldBy({
  encryptionKey = "",
  previousKeys = [],
  token = "",
  auditSigningKey = "",
}: Secretive): readonly string[] {
  const sources = [encryptionKey, token, auditSigningKey, ...previousKeys];
  return sources.filter((source) => source.startsWith("env:")).map((source) => source.slice(4));
}

/** The agent's command, which inherits none of these. */
export function agentOf(config: Pick<Config, "agent"> & Secretive): AgentCommand | undefined {
  const { agent } = config;
  const withheld = withheldBy(config);
  return agent === undefined || withheld.length === 0 ? agent : { ...agent, withheld };
}
