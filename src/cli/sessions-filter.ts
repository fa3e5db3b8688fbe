/** Which sessions are asked for: what the store can look for, and what is looked at here. */
import { agentHas, hasPart } from "../session/agent-names.ts";
import path from "node:path";
import { SidecarError } from "../base/errors.ts";
import { isSameFolder } from "../base/folder.ts";
import { textIf } from "../base/json.ts";
import type { ListQuery } from "../session/archived.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation } from "./command.ts";
import { states, stateOf } from "./lease-text.ts";
import { instantFrom } from "./when.ts";

export interface Wanted {
  readonly filter: ListQuery;
  /** What the store does not know of; none if there is nothing. */
  readonly matches?: (record: SessionRecord) => boolean;
}

/** Errors: `USAGE`. */
export function wantedBy({ flags }: Invocation, nowMs = Date.now()): Wanted {
  const text = (name: string) => textIf(flags[name]);
  const [since, until] = [text("since"), text("until")];
  const filter: ListQuery = {
    ...(flags["archived"] === true && { archived: "only" }),
    ...(since !== undefined && { updatedSinceMs: Math.max(0, instantFrom("since", since, nowMs)) }),
    ...(until !== undefined && { updatedBeforeMs: Math.max(0, instantFrom("until", until, nowMs)) }),
  };
  const checks = [
    folderCheck(text("cwd")),
    stateCheck(text("state")),
    agentCheck(text("agent")),
    titleCheck(text("title")),
  ];
  const given = checks.filter((check) => check !== undefined);
  if (given.length === 0) return { filter };
  return { filter, matches: (record) => given.every((check) => check(record)) };
}

/** Newest activity first, page by page. @param most how many of them will be looked at */
export async function* sessionsOf(
  registry: SessionRegistry,
  { filter, matches }: Wanted,
  most: number,
): AsyncGenerator<SessionRecord> {
  const limit = matches === undefined ? Math.min(most, 1000) : 1000;
  let cursor: string | undefined;
  do {
    const page = await registry.list({ ...filter, limit, ...(cursor !== undefined && { cursor }) });
    yield* matches === undefined ? page.items : page.items.filter(matches);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

type Check = (record: SessionRecord) => boolean;

/** By whichever link or spelling it was opened. */
function folderCheck(folder: string | undefined): Check | undefined {
  if (folder === undefined) return undefined;
  const wanted = path.resolve(folder);
  const known = new Map<string, boolean>();
  return ({ cwd }) => {
    const isKnown = known.get(cwd) ?? isSameFolder(cwd, wanted);
    known.set(cwd, isKnown);
    return isKnown;
  };
}

function stateCheck(state: string | undefined): Check | undefined {
  if (state === undefined) return undefined;
  if ((states as readonly string[]).includes(state)) return ({ lease }) => stateOf(lease) === state;
  throw new SidecarError("USAGE", `--state is ${JSON.stringify(state)}; allowed: ${states.join(", ")}`);
}

function agentCheck(name: string | undefined): Check | undefined {
  return name === undefined ? undefined : (record) => agentHas(record, name);
}

function titleCheck(text: string | undefined): Check | undefined {
  return text === undefined ? undefined : ({ title }) => hasPart([title], text);
}
