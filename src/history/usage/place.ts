/** Where is kept what was found of usage. */
import { createHash } from "node:crypto";
import path from "node:path";
import type { SessionRegistry } from "../../session/registry.ts";

/** One for each store; a store in memory has none, nor has one that is encrypted: folders stand in it. */
export async function usageFileOf(
  registry: Pick<SessionRegistry, "identity">,
  cacheFolder: string | undefined,
): Promise<string | undefined> {
  const identity = await registry.identity();
  if (cacheFolder === undefined || identity === undefined) return undefined;
  const name = createHash("sha256").update(identity).digest("hex").slice(0, 16);
  return path.join(cacheFolder, `usage-${name}.json`);
}
