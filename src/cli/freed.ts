/** The room that a deletion gives back to the disk. */
import { sizeText } from "../base/size-text.ts";
import { giveBackSpace } from "../care/maintenance.ts";
import type { SessionRegistry } from "../session/registry.ts";

/** @param beforeBytes what the store took up before the deletion */
export async function freed(registry: SessionRegistry, url: string, beforeBytes: number): Promise<number> {
  await giveBackSpace(url);
  // Others may have written meanwhile.
  return Math.max(0, beforeBytes - (await registry.stats()).bytes);
}

export function freedText(bytes: number): string {
  return bytes > 0 ? `, ${sizeText(bytes)} given back` : "";
}
