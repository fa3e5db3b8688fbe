/** Which known word a person meant who mistyped it. */

/** Nobody types longer words by mistake; the costs of a comparison stay bounded. */
const longestWord = 64;

/** The candidate that is nearest to `word`, if one is near enough to be meant. */
export function meantBy(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > longestWord) return undefined;
  const typed = word.toLowerCase();
  let [best, fewest]: [string | undefined, number] = [undefined, Infinity];
  for (const candidate of candidates) {
    const edits = editsBetween(typed, candidate.toLowerCase());
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  if (best === undefined) return undefined;
  // A third of the letters may be wrong, and one letter of a short word.
  const allowed = Math.max(1, Math.floor(Math.max(word.length, best.length) / 3));
  if (fewest <= allowed) return best;
  // Or only the beginning was typed.
  const begun = typed.length < 3 ? [] : candidates.filter((each) => each.toLowerCase().startsWith(typed));
  return begun.length === 1 ? begun[0] : undefined;
}

/** `; did you mean X?`, or nothing. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const meant = meantBy(word, candidates);
  return meant === undefined ? "" : `; did you mean ${meant}?`;
}

/** Letters to be put in, left out or changed, and neighbours to be swapped (each counts one). */
function editsBetween(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const [left = 0, above = 0, corner = 0] = [row[j - 1], last[j], last[j - 1]];
      const edits = Math.min(left + 1, above + 1, corner + (isSame ? 0 : 1));
      row.push(isSwap ? Math.min(edits, (before[j - 2] ?? 0) + 1) : edits);
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
