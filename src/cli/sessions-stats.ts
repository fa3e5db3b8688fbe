/** `sessions stats` */
import { redactStoreUrl } from "../base/redact.ts";
import { sizeText } from "../base/size-text.ts";
import { emptyPlaceOf } from "../care/maintenance.ts";
import { growthOf, type Growth } from "../upkeep/growth.ts";
import type { Invocation, Io } from "./command.ts";
import { withSessions } from "./sessions.ts";
import { printFacts, printJson } from "./print.ts";

export function storeStats(invocation: Invocation, io: Io): Promise<number> {
  return withSessions(invocation, io, async (registry, config, _leftOut, { store }) => {
    const { live: _, capabilities, ...stats } = await registry.stats();
    const url = redactStoreUrl(config.store);
    const growth = invocation.flags["growth"] ? await growthOf(registry, store, config.store) : undefined;
    if (invocation.flags["json"]) {
      // Those of a store that is not there yet are not known before it is opened.
      const known = emptyPlaceOf(config.store) === undefined;
      const more = { ...(known && { capabilities }), ...(growth && { growth }) };
      await printJson(io, { store: url, ...stats, ...more });
      return 0;
    }
    await printFacts(io, [
      ["store", url],
      ["sessions", String(stats.sessions)],
      ["in the trash", stats.trashed === 0 ? undefined : String(stats.trashed)],
      ["entries", String(stats.entries)],
      ["size", sizeText(stats.bytes)],
      ...Object.entries(stats.details ?? {}).map(([name, value]) => detailText(name, value)),
      ...(growth === undefined ? [] : growthFacts(growth)),
    ]);
    return 0;
  });
}

/** `walBytes` is `wal`, a size. */
function detailText(name: string, value: unknown): [string, string] {
  if (!name.endsWith("Bytes") || typeof value !== "number") return [name, String(value)];
  return [name.slice(0, -"Bytes".length), sizeText(value)];
}

function growthFacts(growth: Growth): [string, string | undefined][] {
  const { by, days, perDay, room } = growth;
  const over = `the last ${Math.round(days)} ${Math.round(days) === 1 ? "day" : "days"}`;
  const how = {
    measured: `measured by upkeep over ${over}`,
    estimated: `estimated from the sessions that were begun in ${over}, and what an entry takes on average`,
    unknown: "cannot be said yet: there is less than a day to go by",
  }[by];
  return [
    ["growth", how],
    ["sessions a day", perDay && rounded(perDay.sessions)],
    ["entries a day", perDay && rounded(perDay.entries)],
    ["size a day", perDay && signed(perDay.bytes)],
    ["disk", room && `${sizeText(room.freeBytes)} free of ${sizeText(room.totalBytes)}`],
    ["disk is full", perDay && fullText(growth)],
  ];
}

function fullText({ room, perDay, fullInDays }: Growth): string {
  if (room === undefined) return "cannot be said: the disk of a server is not known here";
  if (perDay === undefined || perDay.bytes <= 0 || fullInDays === undefined)
    return "never at this rate: it does not grow";
  if (fullInDays > 3650) return "in more than ten years at this rate";
  const at = new Date(Date.now() + fullInDays * 86_400_000).toISOString().slice(0, 10);
  return `in ${Math.floor(fullInDays)} days at this rate, on ${at}`;
}

function rounded(count: number): string {
  return Math.abs(count) >= 10 ? count.toFixed(0) : count.toFixed(1);
}

function signed(bytes: number): string {
  return bytes < 0 ? `-${sizeText(-bytes)}` : sizeText(Math.round(bytes));
}
