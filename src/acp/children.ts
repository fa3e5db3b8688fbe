/**
 * Sessions of subagents, and updates that name sessions. A child belongs to the session that announced it.
 * https://agentclientprotocol.com/protocol/v1/subagents
 */
import { itemsOf, membersOf, objectText } from "../base/json-text.ts";
import { means } from "./kinds.ts";
import { dataOf, type ArrivedUpdate, type UpdateMessage } from "./updates.ts";

/** What an update calls a session, by what another side calls it; undefined where it stays. */
export type NameOf = (sessionId: string) => string | undefined;

/** The fields of updates that name sessions. */
const namingFields: ReadonlyMap<string, readonly string[]> = new Map([
  ["subagent_update", ["sessionId"]],
  ["session_message", ["senderSessionId", "recipientSessionId"]],
]);

/** Whether an update may name sessions besides its own. */
export function mayNameSessions(update: ArrivedUpdate): update is UpdateMessage {
  if (update.type !== "update") return false;
  const { sessionUpdate, rest } = update;
  return namingFields.has(sessionUpdate) || (means(sessionUpdate, "toolCall") && rest.includes('"session"'));
}

/** The child that an update announces or speaks of as its session's. */
export function announcedIn({ sessionUpdate, ...update }: UpdateMessage): string | undefined {
  if (sessionUpdate !== "subagent_update") return undefined;
  return textIn(updateMembers(dataOf({ sessionUpdate, ...update })).get("sessionId"));
}

/** The same update with other names for the sessions in it; all else to the letter. */
export function renamed(update: UpdateMessage, nameOf: NameOf): UpdateMessage {
  const before = dataOf(update);
  const data = renamedData(before, update.sessionUpdate, nameOf);
  if (data === before) return update;
  const members = data.slice(1);
  const rest = members + update.rest.slice(update.paramsChars);
  return { ...update, rest, paramsChars: members.length };
}

/** The same for the data of an update entry. */
export function renamedData(data: string, sessionUpdate: string, nameOf: NameOf): string {
  const update = updateMembers(data);
  let isOther = false;
  const rename = (members: Map<string, string>, field: string) => {
    const before = textIn(members.get(field));
    const now = before === undefined ? undefined : nameOf(before);
    if (now === undefined || now === before) return;
    members.set(field, JSON.stringify(now));
    isOther = true;
  };
  for (const field of namingFields.get(sessionUpdate) ?? []) rename(update, field);
  const content = update.get("content");
  if (means(sessionUpdate, "toolCall") && content?.startsWith("[") === true) {
    const items = itemsOf(content).map((item) => {
      const members = item.startsWith("{") ? membersOf(item) : new Map<string, string>();
      if (members.get("type") !== '"session"') return item;
      rename(members, "sessionId");
      return objectText(members);
    });
    update.set("content", `[${items.join(",")}]`);
  }
  if (!isOther) return data;
  return objectText(membersOf(data).set("update", objectText(update)));
}

function updateMembers(data: string): Map<string, string> {
  return membersOf(membersOf(data).get("update") ?? "{}");
}

/** What a JSON string says. */
function textIn(json: string | undefined): string | undefined {
  return json?.startsWith('"') === true ? (JSON.parse(json) as string) : undefined;
}
