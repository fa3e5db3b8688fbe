/** `sessions show`: one session with all that is known of it. */
import { jsonTextOf, objectText } from "../base/json-text.ts";
import { isJsonObjectText } from "../base/json.ts";
import { textOf } from "../session/messages.ts";
import type { Entry, EntryRange, SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { leaseText } from "./lease-text.ts";
import { print, printable, printFacts, timeText } from "./print.ts";
import { addressed, withSessions } from "./sessions.ts";

export function showSession(invocation: Invocation, io: Io): Promise<number> {
  const [id = ""] = invocation.operands;
  const { entries, json } = invocation.flags;
  return withSessions(invocation, io, async (registry) => {
    const { record, seq } = await addressed(registry, id, io);
    const range = seq === undefined ? {} : { from: seq, through: seq };
    if (json) await printSessionJson(io, registry, record, range, entries === true);
    else {
      await printRecord(io, record);
      await (entries
        ? printEntries(io, registry, record, range)
        : printMessages(io, registry, record, range));
    }
    return 0;
  });
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
    ["agent", json(agent?.info)],
    ["agent command", agent?.command],
    ["agent's ids", list(record.agentSessionIds)],
    ["MCP servers", list(record.mcpServerNames) ?? "none"],
    ["mode", settings.modeId],
    ["options", json(settings.configOptions)],
    ["metadata", Object.keys(record.metadata).length === 0 ? undefined : json(record.metadata)],
    ["forked from", lineage && `${lineage.parentId} after entry ${lineage.atSeq}`],
  ]);
}

async function printMessages(
  io: Io,
  registry: SessionRegistry,
  { id }: SessionRecord,
  range: EntryRange,
): Promise<void> {
  for await (const message of registry.messages(id, range)) {
    const head = `\n${message.role}, ${timeText(message.atMs)}, entry ${message.seq}\n`;
    await print(io, `${head}${indent(printable(textOf(message)))}\n`);
  }
}

async function printEntries(
  io: Io,
  registry: SessionRegistry,
  { id }: SessionRecord,
  range: EntryRange,
): Promise<void> {
  await print(io, "\n");
  for await (const page of registry.read(id, range)) {
    for (const { seq, kind, atMs, data } of page) {
      await print(io, `${seq}  ${timeText(atMs)}  ${kind}  ${printable(data)}\n`);
    }
  }
}

/** One document, written as it is read: a long history needs little memory. */
async function printSessionJson(
  io: Io,
  registry: SessionRegistry,
  record: SessionRecord,
  range: EntryRange,
  wantsEntries: boolean,
): Promise<void> {
  const name = wantsEntries ? "entries" : "messages";
  await print(io, `{"session":${JSON.stringify(record)},"${name}":[`);
  const pieces = wantsEntries ? entryTexts(registry, record, range) : messageTexts(registry, record, range);
  let between = "\n";
  for await (const text of pieces) {
    await print(io, `${between}${text}`);
    between = ",\n";
  }
  await print(io, "\n]}\n");
}

async function* messageTexts(
  registry: SessionRegistry,
  { id }: SessionRecord,
  range: EntryRange,
): AsyncGenerator<string> {
  for await (const message of registry.messages(id, range)) yield jsonTextOf(message);
}

async function* entryTexts(
  registry: SessionRegistry,
  { id }: SessionRecord,
  range: EntryRange,
): AsyncGenerator<string> {
  for await (const page of registry.read(id, range)) for (const entry of page) yield entryText(entry);
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

function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}
