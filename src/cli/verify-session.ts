/** `verify --session`: reads one session, and says which of its entries is the first that is not what it was. */
import { SidecarError } from "../base/errors.ts";
import { verifyOne } from "../care/verify.ts";
import { SessionRegistry } from "../session/registry.ts";
import { openGuarded } from "../store/guarded/open.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";
import { printDamages } from "./damage-text.ts";
import { chainText } from "./integrity-text.ts";
import { countText, print, printJson } from "./print.ts";
import { sessionAt, urlToRead } from "./sessions.ts";
import { printCompleteness, signedHeads, statusOf } from "./signed-heads.ts";

/** Status 5 when something of it is damaged or was changed. */
export async function verifySession(invocation: Invocation, io: Io, address: string): Promise<number> {
  if (invocation.flags["repair"] === true)
    throw new SidecarError("USAGE", "--repair is for the whole store: leave --session away");
  const loaded = await configOf(invocation, io);
  await using store = await openGuarded(urlToRead(loaded), loaded.config);
  await using registry = new SessionRegistry({ store });
  const { id } = await sessionAt(registry, address, io);
  const found = await verifyOne(store, id, await signedHeads(loaded.config, io));
  const { damages, chain, entries } = found;
  const status = statusOf(found);
  if (invocation.flags["json"]) {
    await printJson(io, found);
    return status;
  }
  const read = `${id}: ${countText(entries, "entry", "entries")} read`;
  await print(io, `${read}: ${countText(damages.length, "damaged place")}\n`);
  await printDamages(damages, io);
  await print(io, chainText(chain, entries));
  await printCompleteness(found.completeness, io);
  return status;
}
