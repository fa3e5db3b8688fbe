/** Layers by their URLs, or stores that are open already, as one store. */
import { ofLayer } from "./layer-urls.ts";
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
 * the new store's from then on, also if this fails. Errors: `CONFIG_INVALID`, and as `openStore`; they name
 * the layer.
 */
export async function openLayers(
  layers: readonly (string | Store)[],
  options: LayersOptions = {},
): Promise<Store> {
  const opened = layers.filter((layer) => typeof layer !== "string");
  try {
    const stores: Store[] = [];
    for (const [at, layer] of layers.entries()) {
      const store = typeof layer === "string" ? await openLayer(layer, at) : layer;
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

async function openLayer(url: string, at: number): Promise<Store> {
  try {
    return await openStore(url);
  } catch (error) {
    throw ofLayer(at, error);
  }
}
