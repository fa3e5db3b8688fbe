/** A session as it is told over HTTP: its record, without what the sidecar keeps for itself. */
import { SidecarError } from "../base/errors.ts";
import { isArchived } from "../session/archived.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import { isHeld, isSameHolder, thisHolder } from "../session/holder.ts";
import { stateOf } from "../session/state.ts";
import type { LeaseState, MetadataChanges } from "../store/contract.ts";

const own = "acp-sidecar.";

/** All of a record, or this does not compile; what is not there is left out of the JSON. */
type Told = Readonly<Record<keyof SessionRecord | "state" | "archived", unknown>>;

export function sessionShape(record: SessionRecord): object {
  const { lease, metadata } = record;
  const state = stateOf(lease);
  // One by one, because lists are long: to copy what was parsed from JSON takes twenty times as long.
  const told: Told = {
    id: record.id,
    createdAtMs: record.createdAtMs,
    updatedAtMs: record.updatedAtMs,
    title: record.title,
    cwd: record.cwd,
    additionalDirectories: record.additionalDirectories,
    client: record.client,
    agent: record.agent,
    mcpServerNames: record.mcpServerNames,
    agentSessionIds: record.agentSessionIds,
    settings: record.settings,
    lineage: record.lineage,
    metadata: others(metadata),
    headSeq: record.headSeq,
    sealedSeq: record.sealedSeq,
    state,
    archived: isArchived(record),
    // Who had it and has gone is nobody's business.
    lease: lease === undefined || state === "idle" ? undefined : leaseShape(lease),
  };
  return told;
}

function leaseShape(lease: LeaseState): object {
  const { holder } = lease;
  return { ...lease, holder: { ...holder, host: holder.host.split("/", 1)[0] }, isHere: isHere(lease) };
}

/** Whether this very process has it: then a turn of it can be cancelled here, and a prompt takes it from nobody. */
export function isHere(lease: LeaseState | undefined): boolean {
  // Who we are is asked of the system: not for each of many sessions that others have.
  if (lease?.holder.pid !== process.pid) return false;
  const self = thisHolder();
  return isHeld(lease, self) && isSameHolder(lease.holder, self);
}

/** Most have none that are ours, and lists are long. */
function others(metadata: SessionRecord["metadata"]): SessionRecord["metadata"] {
  const names = Object.keys(metadata);
  if (!names.some((name) => name.startsWith(own))) return metadata;
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !name.startsWith(own)));
}

/** Errors: `INVALID_PARAMS` for what is ours. */
export function assertNotOurs(metadata: MetadataChanges): void {
  const ours = Object.keys(metadata).find((name) => name.startsWith(own));
  if (ours === undefined) return;
  throw new SidecarError(
    "INVALID_PARAMS",
    `Metadata that begins with ${own} is the sidecar's; use another name`,
    {
      data: { at: "metadata" },
    },
  );
}
