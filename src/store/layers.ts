/** Layers by their URLs, or stores that are open already, as one store. */
import { SidecarError } from "../errors.ts";
import { openStore } from "./open.ts";
import type { Store } from "./store.ts";

export interface LayersOptions {
  /**
   * For how long the last layer's word on a record holds where other processes can write to it too; 0 unless
   * told: it is asked each time.
   */
  readonly freshForMs?: number;
  /** For how long a layer that failed is left alone; 1 second unless told. */
  readonly retryMs?: number;
}

/**
 * Puts stores before one another, the fastest first; the last one acknowledges every write. All of them are
 * the new store's from then on, also if this fails. Errors: `CONFIG_INVALID`, and as `openStore`.
 */
export async function openLayers(
  layers: readonly (string | Store)[],
  options: LayersOptions = {},
): Promise<Store> {
  const opened = layers.filter((layer) => typeof layer !== "string");
  try {
    const stores: Store[] = [];
    for (const layer of layers) {
      const store = typeof layer === "string" ? await openStore(layer) : layer;
      if (store !== layer) opened.push(store);
      stores.push(store);
    }
    const { openLayeredStore } = await import("./layered/store.ts");
    return openLayeredStore({ layers: stores, ...options });
  } catch (error) {
    await Promise.allSettled(opened.map((store) => store.close()));
    throw error;
  }
}

/** The URLs in `["cache:","sqlite:PATH"]`. Errors: `CONFIG_INVALID`. */
export function urlsIn(text: string): readonly string[] {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    found = undefined;
  }
  if (Array.isArray(found) && found.every((each) => typeof each === "string")) return found;
  throw new SidecarError(
    "CONFIG_INVALID",
    `A layered store's URL is layered:["URL","URL"], the fastest first`,
  );
}
