/** `sessions stats` */
import { redactStoreUrl } from "../base/redact.ts";
import { emptyPlaceOf } from "../care/maintenance.ts";
import type { Invocation, Io } from "./command.ts";
import { printFacts, printJson, sizeText } from "./print.ts";
import { withStore } from "./store.ts";

export function storeStats(invocation: Invocation, io: Io): Promise<number> {
  return withStore(invocation, io, async (store, config) => {
    const stats = await store.stats();
    const url = redactStoreUrl(config.store);
    if (invocation.flags["json"]) {
      // Those of a store that is not there yet are not known before it is opened.
      const capabilities = emptyPlaceOf(config.store) === undefined ? store.capabilities : undefined;
      await printJson(io, { store: url, ...stats, capabilities });
      return 0;
    }
    await printFacts(io, [
      ["store", url],
      ["sessions", String(stats.sessions)],
      ["entries", String(stats.entries)],
      ["size", sizeText(stats.bytes)],
      ...Object.entries(stats.details ?? {}).map(([name, value]): [string, string] => [name, String(value)]),
    ]);
    return 0;
  });
}
