/** Lists and counts: the statements that are put together from what is asked. */
import type { Page, SessionFilter, SessionQuery, SessionRecord, StoreStats } from "../contract.ts";
import { decodeCursor, pageSize, toPage, type ListPlace } from "../query.ts";
import type { Dialect } from "./dialect.ts";
import { rows, type Fragment, type Operation } from "./operation.ts";
import { listed, recordIn, type ListedRow } from "./rows.ts";
import type { Words } from "./statements.ts";
import { eachReadable } from "../../base/unreadable.ts";

const idLength = 26;

/** Errors: `INVALID_CURSOR`. */
export function* listSessions(dialect: Dialect, query: SessionQuery): Operation<Page<SessionRecord>> {
  const limit = pageSize(query.limit);
  const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
  const way = yield* dialect.wayTo(dialect.termsOfFilter(query), asked(dialect, query, after), true);
  const text = dialect.listed(way.text, "ORDER BY h.updated_at_ms DESC, h.id DESC", limit + 1);
  const found = yield* rows<ListedRow>({ name: "", text, asArrays: true }, ...way.values);
  const places = found.map((row) => {
    const head = listed(row);
    return { id: head.id, updatedAtMs: head.updated_at_ms, head };
  });
  const { items, ...page } = toPage(places, limit);
  return { ...page, ...eachReadable(items, ({ head }) => recordIn(head)) };
}

export function* countSessions(dialect: Dialect, filter: SessionFilter): Operation<number> {
  const { text, values } = yield* dialect.wayTo(dialect.termsOfFilter(filter), asked(dialect, filter), false);
  const counted = { name: "", text: `SELECT count(*) AS found ${text}` };
  const [row] = yield* rows<{ found: number }>(counted, ...values);
  return row?.found ?? 0;
}

/** How many sessions there are, and how many entries of their own they have. */
export function* totalsOf({ sql }: Dialect): Operation<Pick<StoreStats, "sessions" | "entries">> {
  const [{ sessions, entries } = { sessions: 0, entries: 0 }] = yield* rows<StoreStats>(sql.totals);
  return { sessions, entries };
}

/** All that is asked beside terms that a session must have. */
function asked(dialect: Dialect, filter: SessionFilter, after?: ListPlace): Fragment[] {
  const without = dialect.termsWithout(filter).map((term) => hasTerm(dialect.words, term));
  return [
    ...boundsIn(filter, after),
    ...without.map(({ text, values }) => ({ text: `NOT ${text}`, values })),
  ];
}

/** Of two upper ends only the nearer one: SQLite would begin at the other, and go through all in between. */
function boundsIn(filter: SessionFilter, after?: ListPlace): Fragment[] {
  const { updatedBeforeMs, updatedSinceMs } = filter;
  const times = idsIn(filter);
  if (after !== undefined && after.updatedAtMs < (updatedBeforeMs ?? Infinity)) {
    const text = "(h.updated_at_ms, h.id) < (CAST(? AS bigint), CAST(? AS text))";
    times.push({ text, values: [after.updatedAtMs, after.id] });
  } else if (updatedBeforeMs !== undefined) {
    times.push({ text: "h.updated_at_ms < ?", values: [updatedBeforeMs] });
  }
  if (updatedSinceMs !== undefined) times.push({ text: "h.updated_at_ms >= ?", values: [updatedSinceMs] });
  return times;
}

/** The ends of a range, in every collation, and a look at each id. */
function idsIn({ idStartsWith: start = "", idEndsWith: end = "" }: SessionFilter): Fragment[] {
  if (!/^[0-9A-Z]*$/.test(start + end)) return [{ text: "1 = 0", values: [] }];
  const ids: Fragment[] = [];
  if (start !== "") {
    const text = "h.id >= CAST(? AS text) AND h.id <= CAST(? AS text)";
    ids.push({ text, values: [start.padEnd(idLength, "0"), start.padEnd(idLength, "Z")] });
  }
  if (end !== "") ids.push({ text: "h.id LIKE CAST(? AS text)", values: [`%${end}`] });
  return ids;
}

export function hasTerm({ terms, key }: Words, term: string): Fragment {
  const text = `EXISTS (SELECT 1 FROM ${terms} o WHERE o.term = ? AND o.${key} = h.${key})`;
  return { text, values: [term] };
}

/** `from` with a WHERE behind it, if there is anything to ask. */
export function where(from: string, conditions: readonly Fragment[]): Fragment {
  const asked = conditions.map(({ text }) => text).join(" AND ");
  const text = conditions.length === 0 ? from : `${from} WHERE ${asked}`;
  return { text, values: conditions.flatMap(({ values }) => values) };
}
