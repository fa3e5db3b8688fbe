/** Durations and sizes as people write them: `90s`, `5m`, `1h`, `30d`; `64KiB`, `1GiB`, or a plain number of bytes. */

export const msPer: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const bytesPer: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** Without a unit only 0 is clear. */
export const durationPattern = /^(?:0|(\d+(?:\.\d+)?)(ms|s|m|h|d))$/;
export const sizePattern = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|TiB)?$/;

/** Milliseconds; NaN for what is not a duration. */
export function parseDurationMs(text: string): number {
  if (text === "0") return 0;
  const [, amount, unit = ""] = durationPattern.exec(text) ?? [];
  return Math.round(Number(amount) * (msPer[unit] ?? NaN));
}

/** Says of a number without its unit how to write it; undefined for all else. */
export function unitWanted(value: unknown): string | undefined {
  const amount = typeof value === "number" ? String(value) : value;
  if (typeof amount !== "string" || !/^\d+(\.\d+)?$/.test(amount) || amount === "0") return undefined;
  return `a time needs its unit: ${["s", "m", "h", "d"].map((unit) => amount.slice(0, 20) + unit).join(", ")}`;
}

/** Bytes; NaN for what is not a size. */
export function parseBytes(text: string): number {
  const [, amount, unit = "B"] = sizePattern.exec(text) ?? [];
  return Math.round(Number(amount) * (bytesPer[unit] ?? NaN));
}

/** In the greatest unit that divides it: 3600000 is `1h`, 1500 is `1500ms`. */
export function formatDurationMs(ms: number): string {
  return inUnits(ms, msPer);
}

export function formatBytes(bytes: number): string {
  return inUnits(bytes, bytesPer);
}

function inUnits(value: number, units: Readonly<Record<string, number>>): string {
  const [unit, size] = Object.entries(units).findLast(([, size]) => value % size === 0 && value >= size) ?? [
    Object.keys(units)[0] ?? "",
    1,
  ];
  return `${value / size}${unit}`;
}
