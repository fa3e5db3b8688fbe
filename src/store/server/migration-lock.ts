/** Migrations of a server's store, and what else one process at a time does: the others wait for it. */
import { randomUUID } from "node:crypto";
import { SidecarError } from "../../base/errors.ts";
import { pause } from "../../base/time.ts";

/** A lock that is a value on the server and runs out: it outlives a connection, and not its owner. */
export interface MigrationLock {
  /** What is migrated, for people: "the tables in acp_sidecar". */
  readonly of: string;
  /** Unless it is migrated: "indexing". */
  readonly doing?: string;
  /** For how long the others wait. */
  readonly waitMs?: number;
  /** For how long an owner that was killed keeps it. */
  readonly keptMs?: number;
  /** Runs while another has it; what it rejects with ends the waiting. */
  readonly waiting?: () => Promise<void>;
  /** False while another owner has it. */
  readonly take: (owner: string, forMs: number) => Promise<boolean>;
  /** Keeps it for longer if it is still the owner's; 0 gives it back. */
  readonly prolong: (owner: string, forMs: number) => Promise<unknown>;
}

const defaultLockMs = 60_000;
const waitForLockMs = 30_000;
/** Whoever gives a lock back and takes it again lets others ask for it meanwhile. */
export const pollMs = 100;

/** Runs `work` under the lock. Errors: `STORE_LOCKED` when another process migrates for longer than we wait. */
export async function locked(lock: MigrationLock, work: (owner: string) => Promise<void>): Promise<void> {
  const owner = randomUUID();
  const { keptMs: lockMs = defaultLockMs } = lock;
  const untilMs = performance.now() + (lock.waitMs ?? waitForLockMs);
  while (!(await lock.take(owner, lockMs))) {
    if (performance.now() >= untilMs) throw stillLocked(lock);
    // Of several who wait none is always the first to ask.
    await pause(pollMs * (0.5 + Math.random() / 2));
    await lock.waiting?.();
  }
  // Copying aside may take longer than a lock is given for.
  const keeper = setInterval(() => void lock.prolong(owner, lockMs).catch(() => undefined), lockMs / 3);
  try {
    await work(owner);
  } catch (error) {
    clearInterval(keeper);
    // It runs out by itself; why the work failed is what is to be told.
    await lock.prolong(owner, 0).catch(() => undefined);
    throw error;
  }
  clearInterval(keeper);
  await lock.prolong(owner, 0);
}

function stillLocked({ of, doing = "migrating", waitMs = waitForLockMs }: MigrationLock): SidecarError {
  return new SidecarError(
    "STORE_LOCKED",
    `Another process has been ${doing} ${of} for ${waitMs / 1000} s; try again when it is done`,
  );
}
