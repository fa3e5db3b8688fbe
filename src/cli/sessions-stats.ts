/** `sessions stats` */
import { redactStoreUrl } from "../base/redact.ts";
import { emptyPlaceOf } from "../care/maintenance.ts";
import type { Invocation, Io } from "./command.ts";
import { withSessions } from "./sessions.ts";
import { printFacts, printJson, sizeText } from "./print.ts";

export function storeStats(invocation: Invocation, io: Io): Promise<number> {
  return withSessions(invocation, io, async (registry, config) => {
    const { live: _, capabilities, ...stats } = await registry.stats();
    const url = redactStoreUrl(config.store);
    if (invocation.flags["json"]) {
      // Those of a store that is not there yet are not known before it is opened.
      const known = emptyPlaceOf(config.store) === undefined;
      await printJson(io, { store: url, ...stats, ...(known && { capabilities }) });
      return 0;
    }
    await printFacts(io, [
      ["store", url],
      ["sessions", String(stats.sessions)],
      ["in the trash", stats.trashed === 0 ? undefined : String(stats.trashed)],
      ["entries", String(stats.entries)],
      ["size", sizeText(stats.bytes)],
      ...Object.entries(stats.details ?? {}).map(([name, value]): [string, string] => [name, String(value)]),
    ]);
    return 0;
  });
}
