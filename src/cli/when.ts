/** Points in time as people say them. */
import { SidecarError } from "../base/errors.ts";
import { msPer } from "../config/units.ts";

const msPerUnit: Readonly<Record<string, number>> = { ...msPer, w: 7 * 86_400_000 };

/**
 * `2h` and `3d` ago, `today`, `yesterday`, a day, or a day and a time, local unless it says another zone.
 * Errors: `USAGE`.
 */
export function instantFrom(flag: string, text: string, nowMs: number): number {
  const [, amount, unit = ""] = /^(\d{1,9}(?:\.\d{1,9})?)([smhdw])$/.exec(text) ?? [];
  if (amount !== undefined) return nowMs - Number(amount) * (msPerUnit[unit] ?? NaN);
  if (text === "now") return nowMs;
  if (text === "today" || text === "yesterday") return dayBefore(nowMs, text === "today" ? 0 : 1);
  const isTime = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/.test(text);
  // A day alone would be taken for one in UTC.
  const atMs = isTime ? Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(" ", "T")) : NaN;
  if (!Number.isNaN(atMs)) return atMs;
  throw new SidecarError(
    "USAGE",
    `--${flag} is ${JSON.stringify(text)}; allowed: a time ago like 30m, 2h or 3d, today, yesterday, or a day like 2026-01-31, also with a time: "2026-01-31 14:30"`,
  );
}

function dayBefore(nowMs: number, days: number): number {
  const at = new Date(nowMs);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() - days).getTime();
}
