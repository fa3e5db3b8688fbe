/** What a check of chains has found, for people. */
import type { Integrity } from "../care/integrity.ts";
import type { ChainReport } from "../session/chain-check.ts";
import type { ChainEvent } from "../session/chain-events.ts";
import type { Stretch } from "../session/stretches.ts";
import { countText } from "./print.ts";

/** What is told of events before there are too many for a person. */
const mostEvents = 20;

/** Of all sessions, on lines of their own. */
export function integrityText({ linked, unlinked, changed, events, moreEvents }: Integrity): string {
  const counts = [
    [linked - changed.length, "as when linked"],
    [changed.length, "changed since"],
    [unlinked, "not linked yet"],
  ] as const;
  const sums = counts.flatMap(([count, what]) =>
    count > 0 ? [`${countText(count, "session")} ${what}`] : [],
  );
  if (sums.length === 0) return "";
  const told = events.slice(0, mostEvents).map((event) => `  ${event.sessionId}: ${eventText(event)}\n`);
  const more = events.length - told.length + moreEvents;
  const rest = more === 0 ? "" : `  and ${more} more\n`;
  return `integrity: ${sums.join(", ")}\n${told.join("")}${rest}`;
}

/** Of one session. */
export function chainText({ linked, damage, events }: ChainReport, entries: number): string {
  return [...linesOf(linked, damage, entries), ...events.map(eventText)].map((line) => `${line}\n`).join("");
}

function* linesOf(
  linked: Stretch | undefined,
  damage: ChainReport["damage"],
  entries: number,
): Generator<string> {
  if (damage !== undefined) yield `integrity: ${place(damage)} ${damage.problem}`;
  else if (linked === undefined) yield "integrity: not known; no link of a chain is about its entries yet";
  if (damage !== undefined || linked === undefined) return;
  yield `integrity: ${place(linked)} as when linked`;
  if (linked.from > 1) yield `${place({ from: 1, through: linked.from - 1 })} from before there was a chain`;
  if (linked.through < entries)
    yield `${place({ from: linked.through + 1, through: entries })} not linked yet: the end of the next turn does`;
}

const meanings: Readonly<Record<ChainEvent["what"], string>> = {
  compacted: "compacted: known by the hashes of the notes",
  repaired: "set aside by a repair",
  unlinked: "not known by a link any more, because of a repair",
  begins: "where the chain begins anew",
};

function eventText(event: ChainEvent): string {
  return `${place(event)}: ${meanings[event.what]}`;
}

function place({ from, through }: Stretch): string {
  return from === through ? `entry ${from}` : `entries ${from} to ${through}`;
}
