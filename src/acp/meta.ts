/** The member of `_meta` under which the sidecar adds to ACP's messages. https://agentclientprotocol.com/protocol/extensibility */
export const metaKey = "acp-sidecar";
