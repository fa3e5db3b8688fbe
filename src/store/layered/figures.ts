/** The truth's figures, and how the faster layers do, each under its place and name. */
import type { StoreStats } from "../contract.ts";
import type { FasterLayer } from "./faster-layer.ts";

export function figuresOf(truth: StoreStats, faster: readonly FasterLayer[]): StoreStats {
  const details: Record<string, number | string> = { ...truth.details };
  for (const [i, { store, health, hits, misses, writeBacks }] of faster.entries()) {
    const { isUp, failures, lastFailure } = health;
    const figures = { state: isUp ? "up" : "down", hits, misses, writeBacks, failures };
    const named = lastFailure === undefined ? figures : { ...figures, lastFailure };
    for (const [key, value] of Object.entries(named)) details[`${i + 1}.${store.name}.${key}`] = value;
  }
  return { ...truth, details };
}
