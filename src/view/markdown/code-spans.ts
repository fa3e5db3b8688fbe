/** Where each run of backticks that begins code is closed: by the next run of its length. */
export function codeSpans(text: string): ReadonlyMap<number, number> {
  const closes = new Map<number, number>();
  if (!text.includes("`")) return closes;
  const runs = Array.from(text.matchAll(/`+/g), ({ 0: run, index }) => ({ length: run.length, index }));
  const next = new Map<number, number>();
  for (const { length, index } of runs.toReversed()) {
    const close = next.get(length);
    if (close !== undefined) closes.set(index, close + length);
    next.set(length, index);
  }
  return closes;
}
