/** The ways to sessions in SQLite, which must be told: it knows nothing of how many rows a value has. */
import { hasTerm, where } from "../lists.ts";
import { rows, type Fragment, type Operation } from "../operation.ts";
import { listedColumns } from "../statements.ts";
import { words } from "./statements.ts";

/** Up to so many sessions with a term are fetched and sorted; with more, the order of activity is walked. */
const fewSessions = 1000;

const countTerm = {
  name: "countTerm",
  text: `SELECT count(*) AS found FROM (SELECT 1 FROM terms WHERE term = $1 LIMIT ${fewSessions + 1})`,
};

/** From the rarest term, or along the order of activity, which is cheaper for a page if there are many. */
export function* wayTo(
  terms: readonly string[],
  times: readonly Fragment[],
  isList: boolean,
): Operation<Fragment> {
  const [rarest, found] = yield* rarestOf(terms);
  const others = terms.filter((term) => term !== rarest).map((term) => hasTerm(words, term));
  const isRarest = (alias: string) => ({ text: `${alias}.term = ?`, values: [rarest ?? ""] });
  if (isList && found > fewSessions) {
    const all = terms.map((term) => hasTerm(words, term));
    return where("FROM sessions h INDEXED BY sessions_by_activity", [...all, ...times]);
  }
  if (rarest === undefined) return where("FROM sessions h", times);
  // Nothing is asked of the sessions themselves: their terms are enough.
  if (!isList && times.length === 0) return where("FROM terms h", [isRarest("h"), ...others]);
  return where("FROM terms t CROSS JOIN sessions h ON h.no = t.no", [isRarest("t"), ...others, ...times]);
}

/** CROSS JOIN holds SQLite to this order of the tables: found and sorted are the narrow rows. */
export function listed(way: string, order: string, limit: number): string {
  return `SELECT ${listedColumns("f.facts")} FROM (SELECT h.no ${way} ${order} LIMIT ${limit}) found
    CROSS JOIN sessions h ON h.no = found.no CROSS JOIN records f ON f.no = found.no ${order}`;
}

function* rarestOf(terms: readonly string[]): Operation<[string | undefined, number]> {
  let best: [string | undefined, number] = [undefined, Infinity];
  for (const term of terms) {
    const [{ found } = { found: 0 }] = yield* rows<{ found: number }>(countTerm, term);
    if (found < best[1]) best = [term, found];
  }
  return best;
}
