/** The hot path's way into the journal: session updates that arrived together, as few entries as may be. */
import type { NewEntry } from "../store/contract.ts";
import type { UpdateData } from "./kinds.ts";

/** One update with the text that it came in. */
export interface OneUpdate {
  readonly type: "update";
  readonly text: string;
  readonly params: UpdateData & { readonly sessionId: string };
  /** The message has the three usual fields and no other. */
  readonly usual: boolean;
}

/** Plain text chunks of one message. */
export interface Chunks {
  readonly type: "chunks";
  readonly shape: { readonly sessionUpdate: string; readonly messageId: string | undefined };
  /** What each of them says, as JSON has it between quotes. */
  readonly bodies: readonly string[];
}

interface Run {
  readonly shape: Chunks["shape"];
  body: string;
}

/** A run of text chunks of one message is one entry; everything else is kept to the letter where it can be. */
export function entriesOf(updates: readonly (OneUpdate | Chunks)[], atMs: number): NewEntry[] {
  const entries: NewEntry[] = [];
  let run: Run | undefined;
  const cut = new Cutter();
  const endRun = () => {
    if (run !== undefined) entries.push({ kind: "update", atMs, data: dataOfRun(run) });
    run = undefined;
  };
  for (const arrived of updates) {
    if (arrived.type === "update") {
      endRun();
      entries.push({ kind: "update", atMs, data: cut.dataOf(arrived) });
      continue;
    }
    const { shape, bodies } = arrived;
    const { sessionUpdate, messageId } = run?.shape ?? {};
    if (run === undefined || sessionUpdate !== shape.sessionUpdate || messageId !== shape.messageId) {
      endRun();
      run = { shape, body: "" };
    }
    run.body += bodies.join("");
  }
  endRun();
  return entries;
}

function dataOfRun({ shape: { sessionUpdate, messageId }, body }: Run): string {
  const id = messageId === undefined ? "" : `,"messageId":${JSON.stringify(messageId)}`;
  return `{"update":{"sessionUpdate":"${sessionUpdate}","content":{"type":"text","text":"${body}"}${id}}}`;
}

/** The params without the session id; cut out of the text as it came when it has the usual shape. */
class Cutter {
  #sessionId: string | undefined;
  #start = "";

  dataOf({ text, params, usual }: OneUpdate): string {
    if (params.sessionId !== this.#sessionId) {
      this.#sessionId = params.sessionId;
      this.#start = usualStart(params.sessionId);
    }
    const start = this.#start;
    // Compared as a slice: V8 compiles startsWith to a loop over characters.
    if (usual && text.slice(0, start.length) === start && text.endsWith("}}"))
      return `{${text.slice(start.length, -1)}`;
    const { sessionId: _, ...data } = params;
    return JSON.stringify(data);
  }
}

/** How most agents write an update; what follows is the rest of the params and two braces. */
export function usualStart(sessionId: string): string {
  return `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":${JSON.stringify(sessionId)},`;
}
