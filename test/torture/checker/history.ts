/** What a torture run writes down: what clients asked and were sent, what was broken, and what was found after it. */
import type { Id, Message, Update } from "../../e2e/harness/wire.ts";
import type { Entry } from "../../../src/store/contract.ts";

/** One connection of a client to one sidecar: `a3` is the third life of client a. */
export type ClientName = string;

export type HistoryEvent =
  | { readonly kind: "asked"; readonly client: ClientName; readonly message: Message }
  /** Sent to the client: written by the sidecar, whole, whether or not the client lived to read it. */
  | { readonly kind: "told"; readonly client: ClientName; readonly message: Message }
  /** Stamps that were given to the store as one batch. */
  | { readonly kind: "batch"; readonly sessionId: string; readonly stamps: readonly string[] }
  /** From here on nobody promises that the session is there; if it is, all rules hold. */
  | { readonly kind: "unsure"; readonly sessionId: string }
  /** A kill, a power cut, a fault: for the reader, and `damages` when the medium itself was harmed. */
  | { readonly kind: "broke"; readonly what: string; readonly damages?: boolean };

/** A session as it was found when all was over. */
export interface FoundSession {
  /** Undefined: the store does not have it. */
  readonly stored?: StoredSession;
  /** What `session/load` sent before its answer. Absent: not asked for. */
  readonly replay?: readonly Update[];
  /** What the store or the sidecar answered instead, by name. */
  readonly failure?: { readonly code: string; readonly message: string };
}

export interface StoredSession {
  readonly headSeq: number;
  readonly sealedSeq: number;
  readonly entries: readonly Entry[];
}

export interface Found {
  readonly sessions: ReadonlyMap<string, FoundSession>;
  /** The ids in the store's list, when it was asked. */
  readonly listed?: ReadonlySet<string>;
}

/** The rules of docs/durability.md, and `wire` for answers that were never or twice given. */
export type Rule = 1 | 2 | 3 | 4 | 5 | "wire";

export interface Violation {
  readonly rule: Rule;
  readonly sessionId: string;
  readonly what: string;
  /** Stamps, or request ids, that it is about: what an explanation must show. */
  readonly about: readonly string[];
}

export const idKey = (client: ClientName, id: Id | undefined): string => `${client} ${JSON.stringify(id)}`;
