/** A session as it is told over HTTP: its record, without what the sidecar keeps for itself. */
import { SidecarError } from "../base/errors.ts";
import { isArchived } from "../session/archived.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import { stateOf } from "../session/state.ts";
import type { MetadataChanges } from "../store/contract.ts";

const own = "acp-sidecar.";

export function sessionShape({ lease, metadata, ...record }: SessionRecord): object {
  const state = stateOf(lease);
  return {
    ...record,
    state,
    archived: isArchived({ metadata }),
    metadata: others(metadata),
    // Who had it and has gone is nobody's business.
    ...(lease !== undefined &&
      state !== "idle" && {
        lease: { ...lease, holder: { ...lease.holder, host: lease.holder.host.split("/", 1)[0] } },
      }),
  };
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
