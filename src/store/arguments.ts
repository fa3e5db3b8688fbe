/**
 * What callers without types may get wrong: refused by name, with `INVALID_PARAMS`, before a driver sees it, because
 * drivers rely on the types of the contract. Keys that the contract does not know are not looked at.
 */
import { SidecarError } from "../base/errors.ts";
import { isSessionId, type SessionId } from "../base/ids.ts";
import { isRecord } from "../base/json.ts";
import type {
  EntryKind,
  EntryRange,
  Holder,
  Lease,
  LeaseRequest,
  Lineage,
  NewEntry,
  NewSession,
  SealRange,
  SessionPatch,
  SessionQuery,
} from "./contract.ts";

/** Errors: `INVALID_PARAMS` unless `value` is as it must be; `at` is its name. */
type Check = (value: unknown, at: string) => void;

function must(be: string, holds: (value: unknown) => boolean): Check {
  return (value, at) => {
    if (!holds(value)) throw new SidecarError("INVALID_PARAMS", `${at} must be ${be}`, { data: { at } });
  };
}

const isScalar = (value: unknown): boolean =>
  typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
const text = must("a string", (value) => typeof value === "string");
const truth = must("true or false", (value) => typeof value === "boolean");
const whole = must("a whole number", Number.isSafeInteger);
const number = must("a number", (value) => typeof value === "number" && !Number.isNaN(value));
const scalar = must("a string, a finite number, true or false", isScalar);
const scalarOrNull = must(
  "a string, a finite number, true, false or null",
  (value) => value === null || isScalar(value),
);
const json = must("plain JSON, at most 1,000 levels deep", isJson);
const list = must("a list", Array.isArray);
const record = must("an object", isRecord);
const callable = must("a function", (value) => typeof value === "function");

/** Without recursion: what an agent said of itself may be nested as deep as it likes. */
function isJson(value: unknown): boolean {
  const open: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value: each, depth } = next;
    if (typeof each === "object" && each !== null) {
      if (depth === 1000) return false;
      for (const inner of Object.values(each)) open.push({ value: inner, depth: depth + 1 });
    } else if (each !== null && each !== undefined && !isScalar(each)) return false;
  }
  return true;
}

function maybe(check: Check): Check {
  return (value, at) => {
    if (value !== undefined) check(value, at);
  };
}

function each(container: Check, check: Check): Check {
  return (value, at) => {
    container(value, at);
    for (const one of Object.values(value as object)) check(one, `each of ${at}`);
  };
}

/** A check for every key of `T`. */
function shape<T>(checks: { readonly [Key in keyof T]-?: Check }): Check {
  const all = Object.entries<Check>(checks);
  return (value, at) => {
    record(value, at);
    for (const [key, check] of all) check((value as Readonly<Record<string, unknown>>)[key], `${at}.${key}`);
  };
}

const texts = each(list, text);
const facts = each(record, json);
const metadata = each(record, scalar);

const session = shape<NewSession>({
  id: must("a session id, as newSessionId() makes them", isSessionId),
  createdAtMs: whole,
  updatedAtMs: whole,
  cwd: text,
  additionalDirectories: texts,
  title: maybe(text),
  client: maybe(facts),
  agent: maybe(facts),
  mcpServerNames: texts,
  agentSessionIds: texts,
  settings: facts,
  lineage: maybe(shape<Lineage>({ parentId: text, atSeq: whole })),
  metadata,
});

const patch = shape<SessionPatch>({
  cwd: maybe(text),
  updatedAtMs: maybe(whole),
  title: (value, at) => value === null || maybe(text)(value, at),
  additionalDirectories: maybe(texts),
  client: maybe(facts),
  agent: maybe(facts),
  mcpServerNames: maybe(texts),
  agentSessionIds: maybe(texts),
  settings: maybe(facts),
  metadata: maybe(metadata),
  metadataChanges: maybe(each(record, scalarOrNull)),
});

const query = shape<SessionQuery>({
  cwd: maybe(text),
  updatedBeforeMs: maybe(number),
  updatedSinceMs: maybe(number),
  metadata: maybe(metadata),
  withoutMetadata: maybe(metadata),
  agentSessionId: maybe(text),
  parentId: maybe(text),
  idStartsWith: maybe(text),
  idEndsWith: maybe(text),
  cursor: maybe(text),
  limit: maybe(number),
});

const holderAgent = maybe(shape<NonNullable<Holder["agent"]>>({ pid: whole, startedAt: text }));
const holder = shape<Holder>({ host: text, pid: whole, startedAt: text, agent: holderAgent });
const request = shape<LeaseRequest>({
  holder,
  ttlMs: number,
  mayTake: callable,
});
const lease = shape<Lease>({
  sessionId: text,
  fence: whole,
  ttlMs: number,
  turnRunning: truth,
  holder,
  sinceMs: number,
  expiresAtMs: number,
});

/** A record, so that a kind that is missing here does not compile. */
const listed: Readonly<Record<EntryKind, true>> = {
  prompt: true,
  update: true,
  request: true,
  response: true,
  setting: true,
  message: true,
  end: true,
  rewind: true,
  summary: true,
  context: true,
};
/** Every kind of entry that a store takes and gives. */
export const kindsOfEntries = Object.keys(listed) as readonly EntryKind[];
const kinds: ReadonlySet<EntryKind> = new Set(kindsOfEntries);
const isKind = (value: unknown) => kinds.has(value as EntryKind);
const entry = shape<NewEntry>({ kind: must("a kind of entry", isKind), atMs: whole, data: text });

/** What every store and every driver has; the rest of the contract is missed when it is used. */
const operations = ["create", "get", "update", "list", "count", "append", "read", "close"];
const isStore = (value: unknown): boolean =>
  isRecord(value) && operations.every((name) => typeof value[name] === "function");
const store = must("a store", isStore);
const urlOrStore = must("a URL or a store", (value) => typeof value === "string" || isStore(value));
const storeOrOpener = must(
  "a store, or what gives one",
  (value) => typeof value === "function" || isStore(value),
);

interface Streams {
  readonly input: object;
  readonly output: object;
  readonly errors?: object | undefined;
  readonly follow?: unknown;
}

/** Each gives back what it was given. */
export const given = {
  id: passing<SessionId>("id", text),
  session: passing<NewSession>("session", session),
  patch: passing<SessionPatch>("patch", patch),
  query: passing<SessionQuery>("query", query),
  after: passing<number>("after", whole),
  entries: passing<readonly NewEntry[]>("entries", each(list, entry)),
  range: passing<SealRange>("range", shape<SealRange>({ from: whole, head: whole })),
  readRange: passing<EntryRange>("range", shape<EntryRange>({ from: maybe(number), through: maybe(number) })),
  request: passing<LeaseRequest>("request", request),
  lease: passing<Lease>("lease", lease),
  /** Of the library's own calls. */
  options: passing<{ readonly store: object }>("options", shape<{ store: object }>({ store })),
  url: passing<string>("url", text),
  inner: passing<unknown>("inner", storeOrOpener),
  overrides: passing<object>("overrides", record),
  driver: passing<{ readonly name: string }>("driver", shape<{ name: string }>({ name: text })),

  init: passing<{ readonly cwd: string }>("session", shape<{ cwd: string }>({ cwd: text })),
  folder: passing<string>("folder", text),
  address: passing<string>("address", text),
  message: passing<object>("message", record),
  layers: passing<readonly unknown[]>("layers", each(list, urlOrStore)),
  config: passing<{ readonly store?: unknown }>(
    "config",
    shape<{ store?: unknown }>({ store: maybe(urlOrStore) }),
  ),
  streams: passing<Streams>(
    "io",
    shape<Streams>({ input: record, output: record, errors: maybe(record), follow: maybe(callable) }),
  ),
  age: passing<{ readonly idleForMs: number }>("age", shape<{ idleForMs: number }>({ idleForMs: number })),
  callback: passing<unknown>("callback", callable),
};

function passing<T>(name: string, check: Check): <Given extends T>(value: Given) => Given {
  return (value) => {
    check(value, name);
    return value;
  };
}

/** The same for what comes with every update: all of it at one look, and one by one only to say what is wrong. */
export function checkWrite(id: SessionId, entries: readonly NewEntry[], lease: Lease): void {
  if (typeof id === "string" && isLeaseToWrite(lease) && areEntries(entries)) return;
  given.id(id);
  given.entries(entries);
  given.lease(lease);
}

function areEntries(entries: readonly NewEntry[]): boolean {
  if (!Array.isArray(entries)) return false;
  for (const entry of entries as readonly (NewEntry | null | undefined)[]) {
    if (typeof entry?.data !== "string" || !Number.isSafeInteger(entry.atMs) || !kinds.has(entry.kind)) {
      return false;
    }
  }
  return true;
}

function isLeaseToWrite(lease: Lease | null | undefined): boolean {
  return (
    typeof lease?.sessionId === "string" &&
    typeof lease.fence === "number" &&
    typeof lease.ttlMs === "number" &&
    typeof lease.turnRunning === "boolean"
  );
}
