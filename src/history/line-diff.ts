/** What changed between two texts, line by line, as people read it: a few lines around each change. */

interface DiffLine {
  /** A gap stands for lines that are the same. */
  readonly mark: " " | "+" | "-" | "gap";
  readonly text: string;
}

/** Lines around a change. */
const around = 3;
/** Beyond so many pairs of lines the old ones are shown, and then the new ones: a comparison costs their product. */
const maxPairs = 250_000;

/** @param oldText undefined for a file that is new */
export function lineDiff(oldText: string | undefined, newText: string): DiffLine[] {
  const before = oldText === undefined || oldText === "" ? [] : linesOf(oldText);
  const after = newText === "" ? [] : linesOf(newText);
  const least = Math.min(before.length, after.length);
  let head = 0;
  while (head < least && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < least - head && before[before.length - 1 - tail] === after[after.length - 1 - tail])
    tail += 1;
  const same = (lines: readonly string[]) => lines.map((text): DiffLine => ({ mark: " ", text }));
  const start = Math.max(0, head - around);
  const end = before.length - tail;
  const middle = changes(before.slice(head, end), after.slice(head, after.length - tail));
  if (middle.length === 0) return [];
  return [
    ...gap(start),
    ...same(before.slice(start, head)),
    ...middle,
    ...same(before.slice(end, end + around)),
    ...gap(tail - around),
  ];
}

export function countsOf(lines: readonly DiffLine[]): { readonly added: number; readonly removed: number } {
  const count = (mark: string) => lines.reduce((sum, line) => sum + (line.mark === mark ? 1 : 0), 0);
  return { added: count("+"), removed: count("-") };
}

function linesOf(text: string): string[] {
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

function gap(lines: number): DiffLine[] {
  return lines > 0 ? [{ mark: "gap", text: `${lines} ${lines === 1 ? "line" : "lines"}` }] : [];
}

function changes(before: readonly string[], after: readonly string[]): DiffLine[] {
  const lines =
    before.length * after.length > maxPairs
      ? [...marked("-", before), ...marked("+", after)]
      : aligned(before, after);
  return shortened(lines);
}

function marked(mark: "-" | "+", lines: readonly string[]): DiffLine[] {
  return lines.map((text) => ({ mark, text }));
}

/** By the longest common subsequence. */
function aligned(before: readonly string[], after: readonly string[]): DiffLine[] {
  const width = after.length + 1;
  const longest = new Uint16Array((before.length + 1) * width);
  for (let a = before.length - 1; a >= 0; a -= 1)
    for (let b = after.length - 1; b >= 0; b -= 1)
      longest[a * width + b] =
        before[a] === after[b]
          ? (longest[(a + 1) * width + b + 1] ?? 0) + 1
          : Math.max(longest[(a + 1) * width + b] ?? 0, longest[a * width + b + 1] ?? 0);
  const lines: DiffLine[] = [];
  let [a, b] = [0, 0];
  while (a < before.length || b < after.length) {
    const [old = "", now = ""] = [before[a], after[b]];
    if (a < before.length && b < after.length && old === now) {
      lines.push({ mark: " ", text: old });
      [a, b] = [a + 1, b + 1];
    } else if (b >= after.length || (a < before.length && removesFirst(longest, a, b, width))) {
      lines.push({ mark: "-", text: old });
      a += 1;
    } else {
      lines.push({ mark: "+", text: now });
      b += 1;
    }
  }
  return lines;
}

function removesFirst(longest: Uint16Array, a: number, b: number, width: number): boolean {
  return (longest[(a + 1) * width + b] ?? 0) >= (longest[a * width + b + 1] ?? 0);
}

/** Long stretches that are the same become a gap. */
function shortened(lines: readonly DiffLine[]): DiffLine[] {
  const shown: DiffLine[] = [];
  for (let at = 0; at < lines.length;) {
    let end = at;
    while (end < lines.length && lines[end]?.mark === " ") end += 1;
    if (end - at > 2 * around + 1) {
      for (const line of lines.slice(at, at + around)) shown.push(line);
      for (const line of gap(end - at - 2 * around)) shown.push(line);
      for (const line of lines.slice(end - around, end)) shown.push(line);
      at = end;
    } else {
      for (const line of lines.slice(at, Math.max(end, at + 1))) shown.push(line);
      at = Math.max(end, at + 1);
    }
  }
  return shown;
}
