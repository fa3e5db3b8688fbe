/**
 * When a folded update was heard of last. A fold keeps one entry of many, at the time of the first; how long a tool call took
 * stands behind its update, in a member that is ours and that no client is shown.
 */

import type { UpdateData } from "./kinds.ts";

export const lastHeardMark = "acp-sidecar.lastMs";
const mark = lastHeardMark;
const form = /,"acp-sidecar\.lastMs":(\d{1,16})\}$/;
/** The mark is no longer. */
const tailChars = 48;

/** Of an update's data as it is parsed. */
export function lastHeardIn(data: UpdateData): number | undefined {
  const { [mark]: value } = data;
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}

/** Parsed data as it was said. */
export function saidIn(data: UpdateData): UpdateData {
  const { [mark]: _, ...said } = data;
  return said;
}

export function withLastHeard(data: string, lastMs: number): string {
  return `${data.slice(0, -1)},"${mark}":${lastMs}}`;
}

/** The data as it was said. */
export function withoutLastHeard(data: string): string {
  const found = form.exec(data.slice(-tailChars));
  return found === null ? data : `${data.slice(0, -found[0].length)}}`;
}
