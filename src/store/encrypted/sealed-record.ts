/** Records whose fields are encrypted one by one, so that each can change by itself; ids, times and leases stay as they are. */
import { isSidecarError, SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Json } from "../../base/json.ts";
import type {
  Lineage,
  Metadata,
  MetadataChanges,
  NewSession,
  SessionFilter,
  SessionPatch,
  SessionRecord,
} from "../contract.ts";
import { decryptFailed, openEqual, openText, sealEqual, sealText } from "./box.ts";
import { sign } from "../keys-id.ts";
import type { ListPlace } from "../query.ts";
import type { StoreKeys } from "./store-keys.ts";

/** Whose are the entries that a session inherits: the ancestor, and the last `seq` that is its. The eldest first. */
export type Ancestors = readonly (readonly [id: SessionId, throughSeq: number])[];

/** Under it stands what is kept of an object. */
const inObject = "$enc";
/** Metadata of ours, beside that of the session. */
const ancestorsKey = "$enc.ancestors";

interface SealedFields {
  readonly seal: (name: string, value: unknown) => string;
  readonly open: (name: string, sealed: unknown) => Promise<Json>;
}

export class SealedRecords {
  readonly #keys: StoreKeys;

  constructor(keys: StoreKeys) {
    this.#keys = keys;
  }

  async sealNew(session: NewSession, ancestors: Ancestors): Promise<NewSession> {
    const { id } = session;
    const sealed = await this.sealPatch(id, patchOf(session), ancestors);
    return { ...session, ...sealed } as NewSession;
  }

  /** @param ancestors needed where metadata change */
  async sealPatch(id: SessionId, patch: SessionPatch, ancestors: Ancestors): Promise<SessionPatch> {
    const fields = await this.#fieldsOf(id);
    const one = <T>(value: T | undefined, seal: (value: T) => unknown) =>
      value === undefined || value === null ? value : seal(value);
    const { cwd, title, additionalDirectories, mcpServerNames, agentSessionIds, metadata } = patch;
    const { metadataChanges: changes, ...rest } = patch;
    const sealed = {
      cwd: one(cwd, (text) => this.#equal("cwd", text)),
      title: one(title, (text) => fields.seal("title", text)),
      additionalDirectories: one(additionalDirectories, (all) => [fields.seal("additionalDirectories", all)]),
      mcpServerNames: one(mcpServerNames, (all) => [fields.seal("mcpServerNames", all)]),
      agentSessionIds: agentSessionIds?.map((each) => this.#equal("agentSessionId", each)),
      metadata: one(metadata, (all) => ({
        ...this.#sealMetadata(all),
        ...this.#sealedAncestors(fields, ancestors),
      })),
      metadataChanges: one(changes, (all) => this.#sealMetadata(all)),
      client: one(rest.client, (facts) => ({ [inObject]: fields.seal("client", facts) })),
      agent: one(rest.agent, (facts) => ({ [inObject]: fields.seal("agent", facts) })),
      settings: one(rest.settings, (all) => ({ [inObject]: fields.seal("settings", all) })),
    };
    const given = Object.entries(sealed).filter(([, value]) => value !== undefined);
    return { ...rest, ...Object.fromEntries(given) };
  }

  /** What a filter looks for, as it stands there. */
  sealFilter<F extends SessionFilter>(filter: F): F {
    const { cwd, agentSessionId, metadata, withoutMetadata } = filter;
    return {
      ...filter,
      ...(cwd !== undefined && { cwd: this.#equal("cwd", cwd) }),
      ...(agentSessionId !== undefined && { agentSessionId: this.#equal("agentSessionId", agentSessionId) }),
      ...(metadata !== undefined && { metadata: this.#sealMetadata(metadata) }),
      ...(withoutMetadata !== undefined && { withoutMetadata: this.#sealMetadata(withoutMetadata) }),
    };
  }

  /** Errors: `DECRYPT_FAILED` with the session and its place in lists, also for one that is not encrypted. */
  async open(record: SessionRecord): Promise<SessionRecord> {
    try {
      return await this.#open(record);
    } catch (error) {
      throw of(record, error);
    }
  }

  async ancestorsIn({ id, updatedAtMs, lineage, metadata }: SessionRecord): Promise<Ancestors> {
    if (lineage === undefined || lineage.atSeq === 0) return [];
    try {
      const found = await (await this.#fieldsOf(id)).open("ancestors", metadata[ancestorsKey]);
      return found as unknown as Ancestors;
    } catch (error) {
      throw of({ id, updatedAtMs }, error);
    }
  }

  /** Of a record to which nothing else happens. */
  async sealAncestors(id: SessionId, ancestors: Ancestors): Promise<Metadata> {
    return this.#sealedAncestors(await this.#fieldsOf(id), ancestors);
  }

  #sealedAncestors(fields: SealedFields, ancestors: Ancestors): Metadata {
    return ancestors.length > 0 ? { [ancestorsKey]: fields.seal("ancestors", ancestors) } : {};
  }

  async #open(record: SessionRecord): Promise<SessionRecord> {
    const { title, client, agent } = record;
    const fields = await this.#fieldsOf(record.id);
    const list = async (name: string, [sealed, ...more]: readonly string[]) =>
      more.length > 0 ? refuse() : ((await fields.open(name, sealed)) as string[]);
    const facts = async (name: string, sealed: object) =>
      (await fields.open(name, (sealed as { readonly [inObject]?: unknown })[inObject])) as object;
    return {
      ...record,
      cwd: this.#openEqual("cwd", record.cwd),
      additionalDirectories: await list("additionalDirectories", record.additionalDirectories),
      mcpServerNames: await list("mcpServerNames", record.mcpServerNames),
      agentSessionIds: record.agentSessionIds.map((each) => this.#openEqual("agentSessionId", each)),
      settings: await facts("settings", record.settings),
      metadata: this.#openMetadata(record.metadata),
      ...(title !== undefined && { title: (await fields.open("title", title)) as string }),
      ...(client && { client: await facts("client", client) }),
      ...(agent && { agent: await facts("agent", agent) }),
    };
  }

  #sealMetadata<V extends MetadataChanges>(metadata: V): V {
    const pairs = Object.entries(metadata).map(([key, value]) => [
      this.#equal("metadata", key),
      value === null ? null : this.#equal(`metadata ${key}`, JSON.stringify(value)),
    ]);
    return Object.fromEntries(pairs) as V;
  }

  #openMetadata({ [ancestorsKey]: _, ...metadata }: Metadata): Metadata {
    const pairs = Object.entries(metadata).map(([sealedKey, sealed]) => {
      const key = this.#openEqual("metadata", sealedKey);
      return [key, JSON.parse(this.#openEqual(`metadata ${key}`, sealed)) as Json];
    });
    return Object.fromEntries(pairs) as Metadata;
  }

  #equal(name: string, text: string): string {
    return `${sign}${sealEqual(this.#keys.equal, text, name)}`;
  }

  #openEqual(name: string, sealed: unknown): string {
    return openEqual(this.#keys.equal, unsigned(sealed), name);
  }

  /** Fields that nobody looks for: their session's own keys, and no two are the same. */
  async #fieldsOf(id: SessionId): Promise<SealedFields> {
    const { generation } = this.#keys;
    const key = await this.#keys.keyOf(generation, id);
    const about = (name: string, of: number) => `field ${id} ${name} ${of}`;
    return {
      seal: (name, value) =>
        `${sign}${generation}.${sealText(key, JSON.stringify(value), about(name, generation))}`,
      open: async (name, sealed) => {
        const [, of = "", text = ""] = /^(\d{1,9})\.([^]*)$/.exec(unsigned(sealed)) ?? [];
        const own = await this.#keys.keyOf(Number(of), id);
        return JSON.parse(openText(own, text, about(name, Number(of)))) as Json;
      },
    };
  }
}

/** Where a fork's entries come from. */
export function ancestorsOfFork({ parentId, atSeq }: Lineage, ofParent: Ancestors): Ancestors {
  const inherited = ofParent.map(([id, through]) => [id, Math.min(through, atSeq)] as const);
  const last = inherited.at(-1)?.[1] ?? 0;
  return atSeq > last
    ? [...inherited, [parentId, atSeq]]
    : inherited.filter(([, through], at) => {
        const before = inherited[at - 1]?.[1] ?? 0;
        return through > before;
      });
}

function patchOf(session: NewSession): SessionPatch {
  const { cwd, title, additionalDirectories, client, agent } = session;
  const { mcpServerNames, agentSessionIds, settings, metadata } = session;
  return {
    ...{ cwd, additionalDirectories, mcpServerNames, agentSessionIds, settings, metadata },
    ...(title !== undefined && { title }),
    ...(client && { client }),
    ...(agent && { agent }),
  };
}

function unsigned(sealed: unknown): string {
  return typeof sealed === "string" && sealed.startsWith(sign) ? sealed.slice(sign.length) : refuse();
}

function refuse(): never {
  throw decryptFailed();
}

/** The same failure, with the session that it is about, and where lists have it: they can be read on behind it. */
function of({ id: sessionId, updatedAtMs }: ListPlace, error: unknown): unknown {
  if (!isSidecarError(error, "DECRYPT_FAILED")) return error;
  const { message } = decryptFailed(`Session ${sessionId}`);
  return new SidecarError("DECRYPT_FAILED", message, { data: { sessionId, updatedAtMs } });
}
