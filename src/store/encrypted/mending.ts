/**
 * What can be kept of records of which something was changed: each field is encrypted by itself, so the others are sound.
 * Where it lies and what marks it has (whose it is, whether it was deleted) is never made up: without these it stays refused.
 */
import type { SessionId } from "../../base/ids.ts";
import type { SessionPatch, SessionRecord, Store } from "../contract.ts";
import { isUnreadable } from "../../base/unreadable.ts";
import type { Keyring } from "./keyring.ts";
import { isKeysId, listStart } from "./keys-record.ts";
import { SealedRecords } from "./sealed-record.ts";
import { StoreKeys } from "./store-keys.ts";

/** What stands in the place of what is lost. */
const empty = {
  title: null,
  client: {},
  agent: {},
  settings: {},
  additionalDirectories: [],
  mcpServerNames: [],
} satisfies SessionPatch;

type Field = keyof typeof empty | "agentSessionIds";

export interface Mended {
  readonly id: SessionId;
  /** What was lost. */
  readonly fields: readonly Field[];
}

/** Returns what was mended. Errors: `KEY_MISSING`, `STORE_…`. */
export async function mendRecords(inner: Store, ring: Keyring): Promise<readonly Mended[]> {
  const records = new SealedRecords(await StoreKeys.of(inner, ring));
  const mended: Mended[] = [];
  for (const record of await refusedIn(inner, records)) {
    const { id } = record;
    const fields = await lostFields(records, record);
    if (fields.length === 0) continue;
    const patch = await records.sealPatch(id, patchFor(fields), []);
    const ids = await sound(record.agentSessionIds, (each) =>
      isSound(records, record, { agentSessionIds: [each] }),
    );
    await inner.update(id, { ...patch, ...(fields.includes("agentSessionIds") && { agentSessionIds: ids }) });
    mended.push({ id, fields });
  }
  return mended;
}

async function refusedIn(inner: Store, records: SealedRecords): Promise<readonly SessionRecord[]> {
  const found: SessionRecord[] = [];
  let cursor: string | undefined = listStart;
  do {
    const page = await inner.list({ limit: 1000, cursor });
    for (const record of page.items)
      if (!isKeysId(record.id) && !(await opens(records, record))) found.push(record);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return found;
}

/** None where it cannot be mended. */
async function lostFields(records: SealedRecords, record: SessionRecord): Promise<readonly Field[]> {
  const { cwd, metadata } = record;
  if (!(await isSound(records, record, { cwd })) || !(await isSound(records, record, { metadata })))
    return [];
  const fields = [...Object.keys(empty), "agentSessionIds"] as readonly Field[];
  return sound(fields, async (field) => !(await isSound(records, record, { [field]: record[field] })));
}

function patchFor(fields: readonly Field[]): SessionPatch {
  return Object.fromEntries(Object.entries(empty).filter(([name]) => fields.includes(name as Field)));
}

/** Whether these fields, in a record that is sound otherwise, can be opened. */
async function isSound(
  records: SealedRecords,
  { id, createdAtMs, updatedAtMs, headSeq, sealedSeq }: SessionRecord,
  fields: Partial<SessionRecord>,
): Promise<boolean> {
  const { title: _, ...others } = empty;
  const nothing = { id, createdAtMs, updatedAtMs, cwd: "/", agentSessionIds: [], metadata: {}, ...others };
  const sealed = await records.sealNew(nothing, []);
  return opens(records, { ...sealed, headSeq, sealedSeq, ...fields });
}

async function opens(records: SealedRecords, record: SessionRecord): Promise<boolean> {
  try {
    await records.open(record);
    return true;
  } catch (error) {
    if (isUnreadable(error)) return false;
    throw error;
  }
}

async function sound<T>(all: readonly T[], isIn: (each: T) => Promise<boolean>): Promise<readonly T[]> {
  const are = await Promise.all(all.map(isIn));
  return all.filter((_, at) => are[at]);
}
