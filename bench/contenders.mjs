/** Who is measured: the same agent alone, behind two relays, and behind the sidecar. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const at = (...parts) => path.join(here, ...parts);
const node = process.execPath;
const agent = [node, at("agents/stream.mjs")];

export const builtSidecar = at("../bin/acp-sidecar.js");

/** How the sidecar is started on a store in `folder`, an empty folder that is also its user's home. */
export function sidecar(folder, binary = builtSidecar, name = "sidecar") {
  const store = `sqlite:${path.join(folder, `${name}.db`)}`;
  return {
    name,
    command: node,
    args: [binary, "--store", store, "--durability", "turn", "--", ...agent],
    env: {
      XDG_CONFIG_HOME: folder,
      XDG_DATA_HOME: folder,
      XDG_STATE_HOME: folder,
      ...withoutCommands(binary),
    },
    store,
    library: path.join(path.dirname(binary), "../dist/index.js"),
  };
}

/**
 * Without its own slash command, of which it tells unasked: the relays beside it have none. A build from before
 * it refuses the option.
 */
function withoutCommands(binary) {
  const help = execFileSync(node, [binary, "serve", "--help"], { encoding: "utf8" });
  return help.includes("--commands") ? { ACP_SIDECAR_COMMANDS: "off" } : {};
}

/** The same on an encrypted store. */
export function encryptedSidecar(folder, binary) {
  const plain = sidecar(folder, binary, "encrypted");
  const encryptionKey = `file:${path.join(folder, "key")}`;
  writeFileSync(path.join(folder, "key"), `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
  return {
    ...plain,
    env: { ...plain.env, ACP_SIDECAR_ENCRYPTION_KEY: encryptionKey },
    encryption: { encryptionKey },
  };
}

/** The same without an audit log. */
export function unauditedSidecar(folder, binary) {
  const audited = sidecar(folder, binary, "unaudited");
  return { ...audited, env: { ...audited.env, ACP_SIDECAR_AUDIT: "off" } };
}

/** By the letters of the table: the agent, relays (b) and (c), the sidecar (d), and another build of it to compare with. */
export function contenders(folder, { against, binary }) {
  return [
    { name: "agent", command: agent[0], args: agent.slice(1) },
    { name: "bytes", command: node, args: [at("relays/bytes.mjs"), ...agent] },
    { name: "sdk", command: node, args: [at("relays/sdk.mjs"), ...agent] },
    sidecar(folder, binary),
    ...(against === undefined ? [] : [sidecar(folder, against, "other")]),
  ];
}

/** The floor under the round trip: what commits and syncs like the sidecar, and does nothing else. */
export function durableRelay(folder) {
  const file = path.join(folder, "durable.db");
  return { name: "durable", command: node, args: [at("relays/durable.mjs"), file, ...agent] };
}
