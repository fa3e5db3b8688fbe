/**
 * What is recorded of the things done through the door to sessions: here, and in the two places where sessions go by
 * their age (removal.ts, trash.ts). A registry without an audit log is left as it is.
 */
import type { SessionId } from "../base/ids.ts";
import { noAudit, type Audit, type Deed, type Ended } from "../audit/audit.ts";
import type { LeaseState, Metadata, SessionRecord } from "../store/contract.ts";
import { auditSharing, refusalIn } from "./audited-sharing.ts";
import { holderText, isDead, thisHolder } from "./holder.ts";
import type { OpenedJournal, Taking } from "./journal.ts";
import type { Removal } from "./removal.ts";
import type { SessionInit } from "./registry-options.ts";
import type { Addressed } from "./address.ts";
import type { Archived } from "./archived.ts";
import type { BroughtSessions } from "./brought.ts";
import type { Compaction } from "./compaction.ts";
import type { GoingBack } from "./going-back.ts";
import type { Sharing } from "./sharing.ts";
import type { Trash } from "./trash.ts";

/** In the metadata: where the session was opened last. */
const placeKey = "acp-sidecar.place";

/** Of ids that nobody has opened yet so many are remembered. */
const mostFresh = 10_000;

/** Of the registry what is recorded. */
interface Door {
  readonly back: GoingBack;
  readonly compaction: Compaction;
  readonly trash: Trash;
  readonly brought: BroughtSessions;
  readonly sharing: Sharing;
  create(init: SessionInit, id?: SessionId): Promise<SessionRecord>;
  open(id: SessionId, taking?: Taking): Promise<OpenedJournal>;
  archive(id: SessionId): Promise<SessionRecord>;
  unarchive(id: SessionId): Promise<SessionRecord>;
  rename(id: SessionId, title: string): Promise<SessionRecord>;
  move(id: SessionId, folder: string): Promise<SessionRecord>;
  get(id: SessionId): Promise<SessionRecord>;
  resolve(address: string, folders?: readonly string[], archived?: Archived): Promise<Addressed>;
}

export function placeOf({ metadata }: Pick<SessionRecord, "metadata">): string | undefined {
  const place = metadata[placeKey];
  return typeof place === "string" ? place : undefined;
}

export function auditDoor(registry: Door, removal: Removal, audit: Audit, trashes: boolean): void {
  if (audit === noAudit) return;
  const made = auditMaking(registry, audit);
  put(registry, "open", auditedOpening(registry.open.bind(registry), audit, made));
  const recorded = recorderFor(audit);
  put(registry, "archive", recorded<SessionRecord>("session.archive")(registry.archive.bind(registry)));
  put(registry, "unarchive", recorded<SessionRecord>("session.unarchive")(registry.unarchive.bind(registry)));
  put(registry, "rename", recorded<SessionRecord>("session.rename")(registry.rename.bind(registry)));
  put(registry, "move", recorded<SessionRecord>("session.move")(registry.move.bind(registry)));
  const { back, compaction, trash, brought } = registry;
  auditGoingBack(back, audit);
  auditSharing(registry.sharing, audit);
  const compact = compaction.compact.bind(compaction);
  put(compaction, "compact", recorded<Awaited<ReturnType<typeof compact>>>("session.compact")(compact));
  put(compaction, "erase", recorded<void>("session.erase")(compaction.erase.bind(compaction)));
  const undo = compaction.undo.bind(compaction);
  put(compaction, "undo", recorded<Awaited<ReturnType<typeof undo>>>("session.uncompact")(undo));
  put(
    trash,
    "restore",
    recorded<SessionRecord | undefined>("session.restore", ifThere)(trash.restore.bind(trash)),
  );
  const reveal = brought.reveal.bind(brought);
  put(brought, "reveal", (journal, patch) =>
    audit.around({ what: "session.import", session: journal.id }, () => reveal(journal, patch)),
  );
  put(removal, "delete", recorded<boolean>("session.delete", ifThere)(removal.delete.bind(removal)));
  const removed = trashes ? "session.trash" : "session.delete";
  put(removal, "remove", recorded<boolean>(removed, ifThere)(removal.remove.bind(removal)));
  auditLookingFor(registry, audit);
}

/** Of what is done to the session that is named first. */
function recorderFor(audit: Audit) {
  return <R>(what: Deed["what"], ended?: (result: R) => Ended | undefined) =>
    <A extends readonly unknown[]>(act: (...args: A) => Promise<R>) =>
    (...args: A) =>
      audit.around({ what, ...named(args[0]) }, () => act(...args), ended);
}

function auditGoingBack(back: GoingBack, audit: Audit): void {
  const [rewind, rewindHeld] = [back.rewind.bind(back), back.rewindHeld.bind(back)];
  put(back, "rewind", (id, toSeq) =>
    audit.around({ what: "session.rewind", ...named(id), facts: { toSeq } }, () => rewind(id, toSeq)),
  );
  put(back, "edit", recorderFor(audit)<SessionRecord>("session.edit")(back.edit.bind(back)));
  put(back, "rewindHeld", (held, toSeq) =>
    audit.around({ what: "session.rewind", session: held.record.id, facts: { toSeq } }, () =>
      rewindHeld(held, toSeq),
    ),
  );
}

/** What was made here and not opened yet: to open that is part of making it. */
type Made = Set<SessionId>;

function auditMaking(registry: Door, audit: Audit): Made {
  const made: Made = new Set();
  const create = registry.create.bind(registry);
  put(registry, "create", async (init, id) => {
    const { lineage, metadata }: Partial<SessionInit> = init ?? {};
    const what = lineage === undefined ? "session.create" : "session.fork";
    const deed = { what, session: id, facts: { parent: lineage?.parentId } } as const;
    const placed = { ...init, metadata: { ...metadata, [placeKey]: audit.place } };
    const isPlain = init !== undefined && (metadata === undefined || typeof metadata === "object");
    const record = await audit.around(
      deed,
      () => create(isPlain ? placed : init, id),
      (created) => ({ session: created.id }),
    );
    if (made.size < mostFresh) made.add(record.id);
    return record;
  });
  return made;
}

function auditedOpening(open: Door["open"], audit: Audit, made: Made): Door["open"] {
  return async (id, taking) => {
    if (made.delete(id)) return open(id, taking);
    const opened = await audit.around(
      { what: "session.open", ...named(id) },
      () => open(id, taking),
      ({ previous }) => takenFrom(previous),
    );
    return placedAnew(opened, audit);
  };
}

function takenFrom(previous: LeaseState | undefined): Ended {
  if (previous === undefined) return {};
  const { holder } = previous;
  const facts = { from: holderText(holder) };
  // What a dead process has left is nobody's any more.
  return isDead(holder, thisHolder()) ? { facts } : { what: "session.takeover", facts };
}

/** The session remembers where it was opened last; that it was elsewhere before is worth a record. */
async function placedAnew(opened: OpenedJournal, audit: Audit): Promise<OpenedJournal> {
  const { journal, record } = opened;
  const before = placeOf(record);
  if (before === audit.place) return opened;
  if (before !== undefined)
    audit.note({ what: "session.newPlace", session: record.id, facts: { before, now: audit.place } });
  const metadata: Metadata = { ...record.metadata, [placeKey]: audit.place };
  try {
    return { ...opened, record: await journal.update({ metadata }) };
  } catch (error) {
    await journal.release().catch(() => undefined);
    throw error;
  }
}

/** Only what is refused: to look at one's sessions is nobody's business. */
function auditLookingFor(registry: Door, audit: Audit): void {
  const refused = async <R>(asked: unknown, looking: Promise<R>): Promise<R> => {
    try {
      return await looking;
    } catch (error) {
      const what = refusalIn(error);
      if (what !== undefined) audit.noteRefused({ what, ...named(asked) }, error);
      throw error;
    }
  };
  const get = registry.get.bind(registry);
  put(registry, "get", (id) => refused(id, get(id)));
  const resolve = registry.resolve.bind(registry);
  put(registry, "resolve", (address, ...more) => refused(address, resolve(address, ...more)));
}

/** Callers without types may have given anything. */
function named(session: unknown): { readonly session?: string } {
  return typeof session === "string" ? { session } : {};
}

function ifThere(found: unknown): Ended {
  const isThere = found !== undefined && found !== false;
  return isThere ? {} : { outcome: "refused", code: "SESSION_NOT_FOUND" };
}

function put<T extends object, K extends keyof T>(door: T, name: K, value: T[K]): void {
  Object.defineProperty(door, name, { value });
}
