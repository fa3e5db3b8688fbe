/** Figures: what a store knows of itself, and what its registry adds. */
import type { Store, StoreCapabilities, StoreStats } from "../store/contract.ts";
import { countVisible } from "./hidden.ts";
import type { LiveSet } from "./live.ts";
import type { Trash } from "./trash.ts";

export interface RegistryStats extends StoreStats {
  /** Beside `sessions`, which are those that are shown. What both take up is in the other figures. */
  readonly trashed: number;
  /** In this process. */
  readonly live: number;
  /** Of the store. */
  readonly capabilities: StoreCapabilities;
}

export async function figuresOf(store: Store, trash: Trash, live: LiveSet): Promise<RegistryStats> {
  const [stats, sessions, trashed] = await Promise.all([
    store.stats(),
    countVisible(store, {}),
    trash.count(),
  ]);
  return { ...stats, sessions, trashed, live: live.size, capabilities: store.capabilities };
}
