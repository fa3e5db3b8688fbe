/**
 * How an entry carries a link of the integrity chain (`session/chain.ts`): as the last member of its data, under a name that is
 * ours. Only entries that we write ourselves carry one, because what others said is kept to the letter.
 */
import type { EntryKind, NewEntry } from "../store/contract.ts";

export interface ChainLink {
  /** Of the link before it and of the entries of its stretch. */
  readonly sha256: string;
  /** The entries that it is about, both ends included; the last one carries it. */
  readonly from: number;
  readonly through: number;
  /** No link stands before it: the chain begins here. */
  readonly begins: boolean;
  /** A few bits of each entry, or of each group of entries, by which the one is found that was changed. */
  readonly marks: string;
}

export const chainMember = "acp-sidecar.chain";
const form =
  /([{,])"acp-sidecar\.chain":\{"sha256":"([0-9a-f]{64})","from":(\d{1,16}),"through":(\d{1,16}),("begins":true,)?"marks":"([\w-]*)"\}\}$/;
/** No link is longer. */
const mostChars = 11_200;
/** Nor what stands in it before its marks. */
const mostCharsBefore = 200;

/** What others say in these was taken apart and put together by us. */
const ownKinds: ReadonlySet<EntryKind> = new Set([
  "end",
  "message",
  "setting",
  "rewind",
  "summary",
  "context",
]);

/** Behind the space a link would not be found again. */
const isEmptyButForSpace = /^\{\s+\}$/;

export function isOwnKind(kind: EntryKind): boolean {
  return ownKinds.has(kind);
}

export function mayCarryLink({ kind, data }: NewEntry): boolean {
  return ownKinds.has(kind) && data.endsWith("}") && !isEmptyButForSpace.test(data);
}

/** Undefined for an entry that carries none. */
export function linkIn({ kind, data }: Pick<NewEntry, "kind" | "data">): ChainLink | undefined {
  const [, , sha256, from, through, begins, marks] = (ownKinds.has(kind) && found(data)) || [];
  if (sha256 === undefined || marks === undefined) return undefined;
  return { sha256, from: Number(from), through: Number(through), begins: begins !== undefined, marks };
}

/** Its data as it was before it was given a link. */
export function withoutLink({ kind, data }: Pick<NewEntry, "kind" | "data">): string {
  const link = ownKinds.has(kind) ? found(data) : null;
  return link === null ? data : `${data.slice(0, -link[0].length)}${link[1] === "{" ? "{" : ""}}`;
}

export function withLink<E extends NewEntry>(entry: E, link: ChainLink): E {
  const data = withoutLink(entry);
  const { sha256, from, through, begins, marks } = link;
  const members = `"sha256":"${sha256}","from":${from},"through":${through},${begins ? '"begins":true,' : ""}"marks":"${marks}"`;
  const comma = data === "{}" ? "" : ",";
  return { ...entry, data: `${data.slice(0, -1)}${comma}"${chainMember}":{${members}}}` };
}

function found(data: string): RegExpExecArray | null {
  // Nearly all are told apart by their last characters, and the others by what stands before their last text.
  if (!data.endsWith('"}}')) return null;
  const marksAt = data.lastIndexOf('"', data.length - 4);
  if (!data.endsWith(',"marks":', marksAt)) return null;
  return form.exec(data.slice(Math.max(marksAt - mostCharsBefore, data.length - mostChars, 0)));
}
