/**
 * The mark of what was said in the agent's own program, and not through the sidecar: `_meta["acp-sidecar"].origin` of
 * the params of a `session/update` is "agent".
 */
import { metaKey } from "../../acp/meta.ts";
import type { ArrivedUpdate, UpdateMessage } from "../../acp/updates.ts";
import { membersOf, objectText } from "../../base/json-text.ts";

/** The update with the mark. Chunks of a run become one: the mark is no part of a plain chunk. */
export function fromAgent(update: ArrivedUpdate): UpdateMessage {
  if (update.type === "update") return marked(update);
  const { sessionId, shape, bodies, child } = update;
  const { sessionUpdate, head, tail } = shape;
  const rest = `${head}${bodies.join("")}${tail}`;
  const whose = child === undefined ? {} : { child };
  return marked({ type: "update", sessionId, ...whose, sessionUpdate, rest, paramsChars: rest.length - 1 });
}

const value = '{"origin":"agent"}';

function marked(update: UpdateMessage): UpdateMessage {
  const { rest, paramsChars } = update;
  const params = withMark(rest.slice(0, paramsChars - 1));
  return { ...update, rest: `${params}${rest.slice(paramsChars - 1)}`, paramsChars: params.length + 1 };
}

/** @param members those of the params, without braces */
function withMark(members: string): string {
  if (!members.includes('"_meta"')) return `${members},"_meta":{"${metaKey}":${value}}`;
  const all = membersOf(`{${members}}`);
  const meta = all.get("_meta");
  const kept = meta?.startsWith("{") === true ? membersOf(meta) : new Map<string, string>();
  return objectText(all.set("_meta", objectText(kept.set(metaKey, value)))).slice(1, -1);
}
