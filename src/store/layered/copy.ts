/** What is known of one session's copy in a faster layer. */
import { frozenCopy } from "../copy.ts";
import type { Lease, NewSession, SessionRecord } from "../contract.ts";

/** What the truth says where a copy has its own: leases, fences and lineage are the truth's alone. */
type Truth = Pick<SessionRecord, "updatedAtMs" | "headSeq" | "sealedSeq" | "lease" | "lineage">;

export interface Copy {
  /** Unknown after writes that moved it: then the truth is asked. */
  truth: Truth | undefined;
  /** When the truth last said so. */
  confirmedAtMs: number;
  /** The copy has the entries 1 … `through`, inherited ones included. */
  through: number;
  /** Of these, the ones that can never change. */
  finalThrough: number;
  /** The fence under which all entries that are not final were written, through us. */
  tailFence: number | undefined;
  /** The layer's own lease, under which we write to it. */
  lease: Lease | undefined;
  /** The record as last handed out, and what it was made of. */
  given: { readonly kept: SessionRecord; readonly truth: Truth; readonly record: SessionRecord } | undefined;
  /** It would not fit: no more entries are copied. */
  isFull: boolean;
}

export function newCopy(record: SessionRecord, nowMs: number): Copy {
  return {
    truth: truthOf(record),
    confirmedAtMs: nowMs,
    through: 0,
    finalThrough: 0,
    tailFence: undefined,
    lease: undefined,
    given: undefined,
    isFull: false,
  };
}

export function truthOf({ updatedAtMs, headSeq, sealedSeq, lease, lineage }: SessionRecord): Truth {
  const truth: { -readonly [K in keyof Truth]: Truth[K] } = { updatedAtMs, headSeq, sealedSeq };
  if (lease !== undefined) truth.lease = frozenCopy(lease);
  if (lineage !== undefined) truth.lineage = frozenCopy(lineage);
  return truth;
}

/** The facts of a record, as a faster layer keeps them: its copy of a fork has no parent. */
export function factsOf(record: SessionRecord): NewSession {
  const { id, createdAtMs, updatedAtMs, cwd, additionalDirectories, title, client, agent } = record;
  const { mcpServerNames, agentSessionIds, settings, metadata } = record;
  // Named one by one, which takes a tenth of the time of leaving some out.
  const facts: { -readonly [K in keyof Facts]: Facts[K] } = {
    id,
    createdAtMs,
    updatedAtMs,
    cwd,
    additionalDirectories,
    mcpServerNames,
    agentSessionIds,
    settings,
    metadata,
  } satisfies Required<Omit<Facts, "title" | "client" | "agent">>;
  if (title !== undefined) facts.title = title;
  if (client !== undefined) facts.client = client;
  if (agent !== undefined) facts.agent = agent;
  return facts;
}

/** A new fact that is not copied does not compile; an optional one is missed by the conformance suite. */
type Facts = Pick<NewSession, Exclude<keyof NewSession, "lineage">>;

/** The record that the truth would give. The same object again while nothing has changed. */
export function asTruth(copy: Copy, kept: SessionRecord, truth: Truth): SessionRecord {
  const { given } = copy;
  if (given?.kept === kept && given.truth === truth) return given.record;
  const { lease: _lease, ...facts } = kept;
  const record = Object.freeze({ ...facts, ...truth });
  // A store that hands out one frozen object again shares it with everybody; others make one each time.
  if (Object.isFrozen(kept)) copy.given = { kept, truth, record };
  return record;
}

/** Up to where a copy's entries are those of the truth, whose record is `record`. */
export function rightThrough(copy: Copy, record: SessionRecord, isShared: boolean): number {
  const { through, finalThrough, tailFence } = copy;
  const final = Math.min(finalThrough, record.sealedSeq);
  if (through === final) return final;
  // What is not final stays as it is only while nobody else may have written: its fence is still ours.
  const isOurs = !isShared || (tailFence !== undefined && record.lease?.fence === tailFence);
  return isOurs && record.sealedSeq === finalThrough && through <= record.headSeq ? through : final;
}
