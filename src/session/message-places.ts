/** Where a message stands, by the id under which clients are shown it. */
import { SidecarError } from "../base/errors.ts";
import { isRecord } from "../base/json.ts";
import { meaningOf } from "../acp/entries.ts";
import type { Entry, SessionRecord, Store } from "../store/contract.ts";
import { collect, pagesBackwards } from "./pages.ts";
import { supersededOf } from "./rewinds.ts";
import { idOf } from "./shown-words.ts";

type Known = Pick<SessionRecord, "id" | "headSeq" | "settings">;

const ownId = /^acp-sidecar:(?:prompt|message):([0-9]{1,16})$/;

/** `seq` of the last entry of a message that counts. Errors: `INVALID_PARAMS`. */
export async function seqOfMessage(
  store: Pick<Store, "read">,
  record: Known,
  messageId: string,
): Promise<number> {
  const [, own] = ownId.exec(messageId) ?? [];
  const through = own === undefined ? record.headSeq : Math.min(Number(own), record.headSeq);
  const quoted = JSON.stringify(messageId);
  for await (const page of pagesBackwards(store, record.id, through, await supersededOf(store, record))) {
    const found = page.findLast((entry) => isMessage(entry, messageId, quoted));
    if (found !== undefined) return found.seq;
    // One that we have named stands there or nowhere.
    if (own !== undefined) break;
  }
  throw new SidecarError(
    "INVALID_PARAMS",
    `Session ${record.id} has no message ${quoted} that counts; name one by an id that session/load has shown`,
    { data: { sessionId: record.id, messageId } },
  );
}

function isMessage(entry: Entry, messageId: string, quoted: string): boolean {
  if (messageId === idOf(entry)) return entry.kind === "prompt" || entry.kind === "message";
  if (!entry.data.includes(quoted)) return false;
  const meaning = meaningOf(entry);
  if (meaning.type === "prompt" || meaning.type === "chunk") return meaning.messageId === messageId;
  return false;
}

/** The id of the message with which the conversation ends at `seq`; undefined where its agent knows none. */
export async function agentMessageAt(
  store: Pick<Store, "read">,
  { id }: Pick<Known, "id">,
  seq: number,
): Promise<string | undefined> {
  if (seq < 1) return undefined;
  const entries = await collect(store.read(id, { from: Math.max(1, seq - 3), through: seq }));
  // The end of a turn says nothing, nor does what is known of files: what stands before it is the last word.
  const last = entries.findLast(({ kind }) => kind !== "end" && kind !== "context");
  if (last === undefined) return undefined;
  const meaning = meaningOf(last);
  return meaning.type === "chunk" && isRecord(meaning.content) ? meaning.messageId : undefined;
}
