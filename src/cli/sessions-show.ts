/** `sessions show`: one session with all that is known of it, and what was said in it. */
import { SidecarError } from "../base/errors.ts";
import { jsonTextOf, objectText } from "../base/json-text.ts";
import { isJsonObjectText, isRecord, textOr } from "../base/json.ts";
import { conversationOf, startOfLast } from "../session/conversation.ts";
import type { Entry, EntryRange, SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { ConversationText } from "./conversation-text.ts";
import { leaseText } from "./lease-text.ts";
import { paged } from "./pager.ts";
import { Outflow, print, printable, printFacts, timeText } from "./print.ts";
import { agentNameOf } from "./sessions-filter.ts";
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
  if (json && jsonl) throw new SidecarError("USAGE", "--json and --jsonl are two forms of the same; use one");
  const style = styleFor(invocation, io);
  return withSessions(invocation, io, async (registry) => {
    const shown = await shownBy(invocation, io, registry);
    const text = ({ columns }: Io) =>
      new ConversationText({ columns, style, thoughts: flags["thoughts"] === true });
    const texts = () => (entries ? entryTexts(shown) : messageTexts(shown));
    if (json) await printDocument(io, shown.record, entries ? "entries" : "messages", texts());
    else if (jsonl) await printLines(io, texts());
    else {
      return paged(invocation, io, async (out) => {
        await printRecord(out, shown.record);
        if (entries) await printEntries(out, shown);
        else await printConversation(out, shown, text(out));
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
  if (seq !== undefined && last > 0)
    throw new SidecarError("USAGE", `${id} names one entry; leave out --last`);
  if (seq !== undefined) return { registry, record, range: { from: seq, through: seq } };
  if (last === 0) return { registry, record, range: {} };
  const from = flags["entries"] ? record.headSeq - last + 1 : await startOfLast(registry, record, last);
  return { registry, record, range: { from: Math.max(1, from) } };
}

function printRecord(io: Io, record: SessionRecord): Promise<void> {
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
    ["metadata", Object.keys(record.metadata).length === 0 ? undefined : json(record.metadata)],
    ["forked from", lineage && `${lineage.parentId} after entry ${lineage.atSeq}`],
  ]);
}

function agentAndVersion(record: SessionRecord): string | undefined {
  const { info } = record.agent ?? {};
  if (!isRecord(info)) return undefined;
  return `${agentNameOf(record)} ${textOr(info.version, "")}`.trim();
}

async function printConversation(
  io: Io,
  { registry, record, range }: Shown,
  text: ConversationText,
): Promise<void> {
  const flow = new Outflow(io);
  for await (const happening of conversationOf(registry, record, range))
    if (!(await flow.write(text.of(happening)))) return;
  await print(io, text.finish());
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
