/** `sessions show`: one session with all that is known of it, and what was said in it. */
import { SidecarError } from "../base/errors.ts";
import { beginsTurn } from "../acp/entries.ts";
import { jsonTextOf, objectText } from "../base/json-text.ts";
import { isJsonObjectText } from "../base/json.ts";
import { toldPages } from "../history/counted.ts";
import { happeningsIn } from "../session/conversation.ts";
import { markIn } from "../history/import/mark.ts";
import { drawn } from "../history/drawn.ts";
import { startOfLast, turnAt } from "../session/conversation.ts";
import type { Entry, EntryRange, SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";
import { within } from "../base/time.ts";
import { movedOn } from "../context/moved-on.ts";
import { nameBelow, whatText } from "../context/words.ts";
import type { Invocation, Io } from "./command.ts";
import { conversationPicture, toolsFrom } from "./conversation-picture.ts";
import type { Layout } from "./conversation-text.ts";
import { leaseText } from "./lease-text.ts";
import { paged } from "./pager.ts";
import { assertOneForm } from "./flags.ts";
import { Outflow, print, printable, printFacts, timeText } from "./print.ts";
import { agentLineOf } from "../session/agent-names.ts";
import { addressed, countFrom, withSessions } from "./sessions.ts";
import { styleFor } from "./style.ts";

/** What of which session. */
interface Shown {
  readonly registry: SessionRegistry;
  readonly record: SessionRecord;
  readonly range: EntryRange;
}

export function showSession(invocation: Invocation, io: Io): Promise<number> {
  const { flags } = invocation;
  const { entries, json, jsonl } = flags;
  assertOneForm(flags);
  const style = styleFor(invocation, io);
  return withSessions(invocation, io, async (registry) => {
    const shown = await shownBy(invocation, io, registry);
    const tools = toolsFrom(flags["tools"]);
    const layout = ({ columns }: Io): Layout => ({
      columns,
      style,
      thoughts: flags["thoughts"] === true,
      tools,
    });
    const texts = () => (entries ? entryTexts(shown) : messageTexts(shown));
    if (json) await printDocument(io, shown.record, entries ? "entries" : "messages", texts());
    else if (jsonl) await printLines(io, texts());
    else {
      return paged(invocation, io, async (out) => {
        await printRecord(out, shown.record, await movedText(shown));
        if (entries) await printEntries(out, shown);
        else await printConversation(out, shown, layout(out), flags["superseded"] === true);
        return 0;
      });
    }
    return 0;
  });
}

/** Errors: those of an address; `USAGE`. */
async function shownBy(
  { operands: [id = ""], flags }: Invocation,
  io: Io,
  registry: SessionRegistry,
): Promise<Shown> {
  const { record, seq } = await addressed(registry, id, io);
  const last = countFrom("last", flags["last"], 0);
  const [at, from] = [seqFrom("at", flags["at"], record), seqFrom("from", flags["from"], record)];
  const given = [seq, last || undefined, at, from].filter((each) => each !== undefined);
  if (seq !== undefined && given.length > 1)
    throw new SidecarError("USAGE", `${id} names one entry; leave out --last, --at and --from`);
  if (given.length > 1) throw new SidecarError("USAGE", "use one of --last, --at and --from");
  const range = (part: EntryRange) => ({ registry, record, range: part });
  if (seq !== undefined) return range({ from: seq, through: seq });
  if (from !== undefined) return range({ from });
  if (at !== undefined) return range(await turnWith(registry, record, at));
  if (last === 0) return range({});
  const start = flags["entries"] ? record.headSeq - last + 1 : await startOfLast(registry, record, last);
  return range({ from: Math.max(1, start) });
}

/** Errors: `USAGE`, `INVALID_PARAMS` for an entry that is not there. */
function seqFrom(flag: string, text: string | true | undefined, record: SessionRecord): number | undefined {
  const seq = countFrom(flag, text, 0);
  if (seq <= record.headSeq) return seq === 0 ? undefined : seq;
  throw new SidecarError(
    "INVALID_PARAMS",
    `Session ${record.id} has no entry ${seq}; its entries are 1 to ${record.headSeq}`,
  );
}

/** From its prompt to the entry before the next one. */
async function turnWith(registry: SessionRegistry, record: SessionRecord, seq: number): Promise<EntryRange> {
  const from = Math.max(1, await turnAt(registry, record, seq));
  for await (const page of registry.read(record.id, { from: seq + 1 })) {
    const next = page.find(beginsTurn);
    if (next !== undefined) return { from, through: next.seq - 1 };
  }
  return { from };
}

/** So many files are named. */
const mostMoved = 8;

/** Files that are no longer what the agent has seen of them. What cannot be told, or not in time, is not: `context diff` says why. */
async function movedText({ registry, record }: Shown): Promise<string | undefined> {
  const moved =
    (await within(
      movedOn(registry, record).catch(() => []),
      1_000,
    )) ?? [];
  if (moved.length === 0) return undefined;
  const named = moved
    .slice(0, mostMoved)
    .map((file) => `${nameBelow(file.path, record.cwd)} (${whatText(file)})`);
  const more = moved.length - mostMoved;
  return `${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function printRecord(io: Io, record: SessionRecord, moved: string | undefined): Promise<void> {
  const { client, agent, lineage, settings } = record;
  return printFacts(io, [
    ["id", record.id],
    ["title", record.title],
    ["folder", record.cwd],
    ["more folders", list(record.additionalDirectories)],
    ["created", timeText(record.createdAtMs)],
    ["last activity", timeText(record.updatedAtMs)],
    ["entries", `${record.headSeq} (${record.sealedSeq} final)`],
    ["state", leaseText(record.lease)],
    ["client", json(client?.info)],
    ["client can", json(client?.capabilities)],
    ["agent", agentAndVersion(record)],
    ["agent command", agent?.command],
    ["agent's ids", list(record.agentSessionIds)],
    ["MCP servers", list(record.mcpServerNames) ?? "none"],
    ["mode", settings.modeId],
    ["options", json(settings.configOptions)],
    ["imported from", importedFrom(record)],
    ["metadata", othersOf(record.metadata)],
    ["moved on since", moved],
    ["forked from", lineage && `${lineage.parentId} after entry ${lineage.atSeq}`],
  ]);
}

/** Whose session it was, and what it is called there. */
function importedFrom({ metadata }: SessionRecord): string | undefined {
  return markIn(metadata)?.key.replace(":", " ");
}

/** Without what the sidecar itself keeps there. */
function othersOf(metadata: SessionRecord["metadata"]): string | undefined {
  const others = Object.entries(metadata).filter(([name]) => !name.startsWith("acp-sidecar."));
  return others.length === 0 ? undefined : json(Object.fromEntries(others));
}

function agentAndVersion(record: SessionRecord): string | undefined {
  return record.agent?.info === undefined ? undefined : agentLineOf(record);
}

async function printConversation(
  io: Io,
  { registry, record, range }: Shown,
  layout: Layout,
  withSuperseded: boolean,
): Promise<void> {
  const flow = new Outflow(io);
  // Who names an entry means that one, whether it counts or not.
  const isOne = range.from !== undefined && range.from === range.through;
  const superseded = await registry.superseded(record.id);
  const telling = { superseded, withSuperseded: withSuperseded || isOne, range };
  const { from = 1 } = range;
  const turn = from > 1 ? await turnAt(registry, record, from - 1) : 0;
  const rewinds = withSuperseded ? (record.settings.rewinds ?? []) : [];
  const happenings = happeningsIn(toldPages(registry, record, telling), turn);
  for await (const text of drawn(happenings, conversationPicture(layout), { superseded, rewinds }))
    if (!(await flow.write(text))) return;
}

async function printEntries(io: Io, { registry, record, range }: Shown): Promise<void> {
  const flow = new Outflow(io);
  await print(io, "\n");
  for await (const page of registry.read(record.id, range)) {
    for (const { seq, kind, atMs, data } of page)
      if (!(await flow.write(`${seq}  ${timeText(atMs)}  ${kind}  ${printable(data)}\n`))) return;
  }
}

/** One document, written as it is read: a long history needs little memory. */
async function printDocument(
  io: Io,
  record: SessionRecord,
  name: "entries" | "messages",
  texts: AsyncIterable<string>,
): Promise<void> {
  const flow = new Outflow(io);
  await print(io, `{"session":${JSON.stringify(record)},"${name}":[`);
  let between = "\n";
  for await (const text of texts) {
    if (!(await flow.write(`${between}${text}`))) return;
    between = ",\n";
  }
  await print(io, "\n]}\n");
}

async function printLines(io: Io, texts: AsyncIterable<string>): Promise<void> {
  const flow = new Outflow(io);
  for await (const text of texts) if (!(await flow.write(`${text}\n`))) return;
}

async function* messageTexts({ registry, record, range }: Shown): AsyncGenerator<string> {
  for await (const message of registry.messages(record.id, range)) yield jsonTextOf(message);
}

async function* entryTexts({ registry, record, range }: Shown): AsyncGenerator<string> {
  for await (const page of registry.read(record.id, range)) for (const entry of page) yield entryText(entry);
}

/** The entry with its data as JSON, to the letter; data that is none stays a text. */
function entryText({ data, ...entry }: Entry): string {
  const members = Object.entries(entry).map(([name, value]) => [name, JSON.stringify(value)] as const);
  return objectText(new Map([...members, ["data", isJsonObjectText(data) ? data : JSON.stringify(data)]]));
}

function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

function list(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.join(", ");
}
