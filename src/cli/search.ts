/** `search`: messages in all sessions with the words that are looked for. */
import { textIf } from "../base/json.ts";
import { SidecarError } from "../base/errors.ts";
import { cacheFolderOf, surroundings } from "../config/paths.ts";
import { searchRoles, type SearchRole } from "../history/search/entry-text.ts";
import type { FoundSession, Hit } from "../history/search/hits.ts";
import { parseQuery } from "../history/search/query.ts";
import { searchSessions as search, type SearchOptions, type SearchResult } from "../history/search/search.ts";
import { plainSnippet } from "../history/search/snippet.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { homely } from "./folder-text.ts";
import { paged } from "./pager.ts";
import { agoText, oneLine, Outflow, print, printJson } from "./print.ts";
import { countFrom, sessionAt, withSessions } from "./sessions.ts";
import { styleFor, type Style } from "./style.ts";
import { instantFrom } from "./when.ts";

/** Status 1 where nothing was found, as `grep` has it. */
export function searchSessions(invocation: Invocation, io: Io): Promise<number> {
  const query = invocation.operands.join(" ");
  // Said before a store is opened.
  parseQuery(query);
  const style = styleFor(invocation, io);
  const wanted = optionsOf(invocation);
  return withSessions(invocation, io, async (registry, _, leftOut) => {
    const options = { ...wanted, ...(await sessionIn(invocation, io, registry)) };
    const found = await search(registry, query, {
      ...options,
      cacheFolder: cacheFolderOf(surroundings(io.env)),
    });
    for (const id of found.unread) leftOut.note({ id, code: "STORE_CORRUPT" });
    if (invocation.flags["json"]) await printJson(io, asJson(found));
    else if (found.sessions.length === 0) await print(io, "Nothing was found.\n");
    else return paged(invocation, io, (out) => printFound(out, io, found, style));
    return found.sessions.length === 0 ? 1 : 0;
  });
}

/** Errors: `USAGE`. */
function optionsOf({ flags }: Invocation): SearchOptions {
  const text = (name: string) => textIf(flags[name]);
  const [cwd, agent, since, until] = [text("cwd"), text("agent"), text("since"), text("until")];
  const nowMs = Date.now();
  return {
    limit: countFrom("limit", flags["limit"], 20),
    ...(flags["archived"] === true && { archived: true }),
    superseded: flags["superseded"] === true,
    ...(cwd !== undefined && { cwd }),
    ...(agent !== undefined && { agent }),
    ...(since !== undefined && { sinceMs: Math.max(0, instantFrom("since", since, nowMs)) }),
    ...(until !== undefined && { untilMs: Math.max(0, instantFrom("until", until, nowMs)) }),
    ...roleOf(text("role")),
  };
}

function roleOf(role: string | undefined): { readonly role?: SearchRole } {
  if (role === undefined) return {};
  const known = searchRoles.find((each) => each === role);
  if (known !== undefined) return { role: known };
  throw new SidecarError("USAGE", `--role is ${JSON.stringify(role)}; allowed: ${searchRoles.join(", ")}`);
}

async function sessionIn(
  { flags }: Invocation,
  io: Io,
  registry: SessionRegistry,
): Promise<Pick<SearchOptions, "in">> {
  const address = flags["in"];
  return address === undefined ? {} : { in: (await sessionAt(registry, String(address), io)).id };
}

function asJson({ sessions, ...others }: SearchResult): unknown {
  const hitOf = (hit: Hit) => ({ ...hit, text: plainSnippet(hit.snippet) });
  return { sessions: sessions.map((session) => ({ ...session, hits: session.hits.map(hitOf) })), ...others };
}

async function printFound(
  out: Io,
  io: Io,
  { sessions, isMore }: SearchResult,
  style: Style,
): Promise<number> {
  const flow = new Outflow(out);
  const nowMs = Date.now();
  for (const [at, session] of sessions.entries()) {
    const text = `${at === 0 ? "" : "\n"}${headOf(session, io, style, nowMs)}${linesOf(session, style, nowMs)}`;
    if (!(await flow.write(text))) return 0;
  }
  if (isMore) await print(out, `\n${style.dim("There is more: --limit, --in ID, or more words.")}\n`);
  return 0;
}

function headOf(
  { title, cwd, agent, updatedAtMs }: FoundSession,
  io: Io,
  style: Style,
  nowMs: number,
): string {
  const facts = [
    agoText(updatedAtMs, nowMs),
    oneLine(homely(cwd, io)),
    ...(agent === undefined ? [] : [oneLine(agent)]),
  ];
  return `${style.bold(oneLine(title ?? "(no title)"))}  ${style.dim(facts.join(", "))}\n`;
}

function linesOf({ hits, isMore }: FoundSession, style: Style, nowMs: number): string {
  const lines = hits.map(({ address, role, atMs, snippet, superseded }) => {
    const marked = snippet
      .map(({ text, isMatch }) => (isMatch ? style.bold(oneLine(text)) : oneLine(text)))
      .join("");
    const gone = superseded === true ? ", superseded" : "";
    return `  ${style.cyan(address)}  ${style.dim(`${role}, ${agoText(atMs, nowMs)}${gone}`)}\n    ${marked}\n`;
  });
  return `${lines.join("")}${isMore ? style.dim("  and more in this session\n") : ""}`;
}
