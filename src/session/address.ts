/**
 * How people say which session they mean: its id, four or more characters of the id's beginning or end, `last` for the
 * newest, `last~2` for the second before it; and after a colon an entry of it.
 */
import path from "node:path";
import { SidecarError } from "../base/errors.ts";
import { folderOf } from "../base/folder.ts";
import { isSessionId, type SessionId } from "../base/ids.ts";
import { given } from "../store/arguments.ts";
import type { Page, SessionQuery, SessionRecord, Store, Unreadable } from "../store/contract.ts";
import { listOrder } from "../store/query.ts";
import { sessionNotFound } from "../store/refusals.ts";
import { cannotBeRead } from "../base/unreadable.ts";
import { listShown, type Archived } from "./archived.ts";
import { visibleOf, whyHidden } from "./hidden.ts";
import type { PassOver } from "./pages.ts";

/** What is meant. */
export interface Addressed {
  readonly record: SessionRecord;
  /** The entry, where one is named. */
  readonly seq?: number;
}

/** The sessions that can be meant. */
interface Addressable {
  readonly get: (id: SessionId) => Promise<SessionRecord | undefined>;
  readonly list: (query: SessionQuery) => Promise<Page<SessionRecord>>;
  /** The newest ones, at most so many; what `last` counts. */
  readonly newest: (most: number) => Promise<readonly SessionRecord[]>;
  /** Where these newest are, and what shows them: for a message. */
  readonly place: string;
  readonly seen: string;
}

/** Fewer characters fit by chance. */
const fewestCharacters = 4;
/** As many candidates as are named. */
const mostNamed = 5;
/** Hidden records may leave pages empty; nobody waits for more of these. */
const mostPages = 20;

/**
 * The session that a text means, in whatever case. Errors: `SESSION_NOT_FOUND`, `SESSION_AMBIGUOUS` with
 * `data.candidates`, `INVALID_PARAMS` for an entry that is not there.
 */
export async function resolveAddress(text: string, among: Addressable): Promise<Addressed> {
  const [, name = "", seqText] = /^([^:]*)(?::(\d{1,15}))?$/.exec(given.address(text).trim()) ?? [];
  const record = await sessionNamed(text, name.toUpperCase(), among);
  if (seqText === undefined) return { record };
  const seq = Number(seqText);
  if (seq >= 1 && seq <= record.headSeq) return { record, seq };
  throw new SidecarError(
    "INVALID_PARAMS",
    `Session ${record.id} has no entry ${seq}; its entries are 1 to ${record.headSeq}`,
    { data: { sessionId: record.id, seq } },
  );
}

async function sessionNamed(text: string, name: string, among: Addressable): Promise<SessionRecord> {
  const [isLast, back = "0"] = /^LAST(?:~(\d{1,3}))?$/.exec(name) ?? [];
  if (isLast !== undefined) return newest(Number(back), among);
  if (isSessionId(name)) {
    const record = await among.get(name);
    if (record === undefined) throw sessionNotFound(name);
    return record;
  }
  if (name.length >= fewestCharacters && /^[0-9A-Z]+$/.test(name)) return onlyOne(text, name, among);
  throw noSession(
    text,
    `allowed: an id, four or more characters of its beginning or end, last, last~2; see ${among.seen}`,
  );
}

async function newest(back: number, { newest, place, seen }: Addressable): Promise<SessionRecord> {
  const found = await newest(back + 1);
  const record = found[back];
  if (record !== undefined) return record;
  const are = found.length === 1 ? "There is 1 session" : `There are ${found.length || "no"} sessions`;
  throw noSession(back === 0 ? "last" : `last~${back}`, `${are} ${place}; see ${seen}`);
}

async function onlyOne(text: string, name: string, { list, seen }: Addressable): Promise<SessionRecord> {
  const unreadable: Unreadable[] = [];
  const note = (each: Unreadable) => unreadable.push(each);
  const [begun, ended] = await Promise.all([
    // One more than are named, so that it is known whether there are others.
    firstOf(list, { idStartsWith: name }, mostNamed + 1, note),
    firstOf(list, { idEndsWith: name }, mostNamed + 1, note),
  ]);
  const found = new Map([...begun, ...ended].map((record) => [record.id, record]));
  // It may be the one that is meant.
  if (unreadable[0] !== undefined) throw cannotBeRead(unreadable[0]);
  const [only] = found.values();
  if (only === undefined) throw noSession(text, `no id begins or ends so; see ${seen}`);
  if (found.size === 1) return only;
  const candidates = [...found.keys()].slice(0, mostNamed);
  const more = found.size > mostNamed ? " and others" : "";
  throw new SidecarError(
    "SESSION_AMBIGUOUS",
    `${JSON.stringify(text)} fits several sessions, name more of one: ${candidates.join(", ")}${more}`,
    { data: { candidates } },
  );
}

async function firstOf(
  list: Addressable["list"],
  query: SessionQuery,
  most: number,
  passOver: PassOver,
): Promise<readonly SessionRecord[]> {
  const found: SessionRecord[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < mostPages && found.length < most; pages += 1) {
    const page = await list({ ...query, limit: most, ...(cursor !== undefined && { cursor }) });
    for (const each of page.unreadable ?? []) passOver(each);
    found.push(...page.items);
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  return found.slice(0, most);
}

function noSession(address: string, why: string): SidecarError {
  return new SidecarError("SESSION_NOT_FOUND", `No session ${JSON.stringify(address)}: ${why}`, {
    data: { address },
  });
}

/**
 * All sessions that are shown, those in the archive too; `last` is the newest of the folders, which may be spellings of
 * one, and stands outside the archive unless told.
 */
export function shownSessions(
  store: Store,
  folders: readonly string[],
  archived?: Archived,
  passOver: PassOver = () => undefined,
): Addressable {
  const [here = "/"] = folders;
  return {
    get: async (id) => {
      const record = await store.get(id);
      return record === undefined || whyHidden(record) !== undefined ? undefined : record;
    },
    list: (query) => visibleOf(store, query),
    newest: (most) => newestOf(store, { folders: spellingsOf(folders), most, archived, passOver }),
    place: `of ${here}`,
    seen: "acp-sidecar sessions ls",
  };
}

function spellingsOf(folders: readonly string[]): readonly string[] {
  return [...new Set(folders.flatMap((folder) => [path.resolve(folder), folderOf(folder)]))];
}

interface Newest {
  readonly folders: readonly string[];
  readonly most: number;
  readonly archived: Archived | undefined;
  readonly passOver: PassOver;
}

async function newestOf(
  store: Store,
  { folders, most, archived = "exclude", passOver }: Newest,
): Promise<readonly SessionRecord[]> {
  const list = (query: SessionQuery) => listShown(store, { ...query, archived });
  const found = await Promise.all(folders.map((cwd) => firstOf(list, { cwd }, most, passOver)));
  // By each spelling a list finds what is kept under others, too.
  const each = new Map(found.flat().map((record) => [record.id, record]));
  return [...each.values()].sort(listOrder).slice(0, most);
}
