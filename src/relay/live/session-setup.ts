/** What a client sets a session up with. */

type McpServers = readonly Readonly<Record<string, unknown>>[];

/** For the agent: secrets, kept in memory only. */
export interface SessionSetup {
  readonly mcpServers: McpServers;
  /** Fields that we do not know. */
  readonly [field: string]: unknown;
}

/**
 * What is set up for the agent by a client's params, without what the record knows. Servers that they do not name
 * are those of before: they are optional where a session is resumed.
 */
export function setupOf(
  params: { readonly mcpServers?: McpServers | null | undefined },
  before?: SessionSetup,
): SessionSetup {
  const {
    sessionId: _id,
    cwd: _cwd,
    additionalDirectories: _more,
    ...rest
  } = params as Record<string, unknown>;
  return { ...rest, mcpServers: params.mcpServers ?? before?.mcpServers ?? [] };
}

/** MCP server names: all of them that is ever stored. */
export function namesOf(mcpServers: McpServers): string[] {
  return mcpServers.map(({ name }) => (typeof name === "string" ? name : ""));
}
