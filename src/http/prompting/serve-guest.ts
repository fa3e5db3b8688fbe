/** How a guest's sidecar is run. Who composes the program says it. */
import type { Readable, Writable } from "node:stream";
import type { Audit } from "../../audit/audit.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Store } from "../../store/contract.ts";

/** Serves the streams until `signal` is aborted or they end. */
export type ServeGuest = (
  streams: { readonly input: Readable; readonly output: Writable },
  signal: AbortSignal,
) => Promise<void>;

/** The same for a guest: on their store, in whose name it is recorded. */
export type Serve = (guest: {
  readonly store: Store;
  readonly audit: Audit;
  /** Told when something was written to a session: whoever follows it looks at once. */
  readonly onWritten: (id: SessionId) => void;
}) => ServeGuest;
