/** Damage, as a table for people. */
import type { Damage } from "../care/damage.ts";
import type { Io } from "./command.ts";
import { printTable } from "./table.ts";

export async function printDamages(damages: readonly Damage[], io: Io): Promise<void> {
  if (damages.length === 0) return;
  const rows = damages.map(({ sessionId = "", entries, file, problem }) => [
    sessionId,
    String(entries?.from ?? ""),
    file === undefined ? problem : `${file}: ${problem}`,
  ]);
  await printTable(io, ["SESSION", "ENTRY", "PROBLEM"], rows);
}
