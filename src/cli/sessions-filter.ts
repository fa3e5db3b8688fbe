/** Which sessions are asked for: what the store can look for, and what is looked at here. */
import path from "node:path";
import { SidecarError } from "../base/errors.ts";
import { textIf } from "../base/json.ts";
import type { ListQuery } from "../session/archived.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation } from "./command.ts";
import { states, type SessionState } from "../session/state.ts";
import { checkFor } from "../session/wanted.ts";
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
  const cwd = text("cwd");
  const matches = checkFor({
    folder: cwd === undefined ? undefined : path.resolve(cwd),
    state: stateFrom(text("state")),
    agent: text("agent"),
    title: text("title"),
  });
  return matches === undefined ? { filter } : { filter, matches };
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

/** Errors: `USAGE`. */
function stateFrom(text: string | undefined): SessionState | undefined {
  const state = states.find((each) => each === text);
  if (text === undefined || state !== undefined) return state;
  throw new SidecarError("USAGE", `--state is ${JSON.stringify(text)}; allowed: ${states.join(", ")}`);
}
