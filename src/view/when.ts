/** Times and numbers, in the reader's language and clock. */

const [minuteMs, hourMs, dayMs] = [60_000, 3_600_000, 86_400_000];

/** Each takes a browser some milliseconds, which whoever waits for a first list does not have. */
const clock = lazily(() => new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }));
const day = lazily(() => new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" }));
const longDay = lazily(
  () => new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" }),
);
const month = lazily(() => new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric" }));
const full = lazily(() => new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" }));
const numbers = lazily(() => new Intl.NumberFormat());
const short = lazily(
  () => new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 }),
);

/** `now`, `12 min`, `14:05`, `3 Mar`: as short as a list wants it. */
export function briefTime(ms: number, nowMs = Date.now()): string {
  if (!isTime(ms)) return "";
  const agoMs = nowMs - ms;
  if (agoMs < minuteMs) return "now";
  if (agoMs < hourMs) return `${Math.floor(agoMs / minuteMs)} min`;
  if (startOfDay(ms) === startOfDay(nowMs)) return clock().format(ms);
  return day().format(ms);
}

/** `14:05`, on another day with its date. */
export function momentText(ms: number, nowMs = Date.now()): string {
  if (!isTime(ms)) return "";
  if (startOfDay(ms) === startOfDay(nowMs)) return clock().format(ms);
  const isThisYear = new Date(ms).getFullYear() === new Date(nowMs).getFullYear();
  return `${(isThisYear ? day : longDay)().format(ms)}, ${clock().format(ms)}`;
}

export function fullTime(ms: number): string {
  return isTime(ms) ? full().format(ms) : "";
}

/** Under which heading of a list it stands. */
export function period(ms: number, nowMs = Date.now()): string {
  if (!isTime(ms)) return "Undated";
  const days = Math.round((startOfDay(nowMs) - startOfDay(ms)) / dayMs);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  return days < 7 ? "Last 7 days" : month().format(ms);
}

export function numberText(number: number): string {
  return numbers().format(number);
}

export function shortNumber(number: number): string {
  return short().format(number);
}

/** Of what a browser holds, characters are as good as bytes. */
export function sizeText(chars: number): string {
  if (chars < 1000) return `${chars} characters`;
  return chars < 1_000_000 ? `${Math.round(chars / 1000)} KB` : `${(chars / 1_000_000).toFixed(1)} MB`;
}

/** Made when it is first asked for. */
function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

function startOfDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}

function isTime(ms: number): boolean {
  return Number.isFinite(ms) && Math.abs(ms) < 8e15;
}
