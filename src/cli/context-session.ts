/** `context show|refresh|diff|clear ID`: what a session knows of its project, and what of it is no longer so. */
import { SidecarError } from "../base/errors.ts";
import { sizeText } from "../base/size-text.ts";
import type { ContextFile } from "../context/context-file.ts";
import { SessionContext, type ContextView } from "../context/session-context.ts";
import type { ContextDiff } from "../context/diff.ts";
import { isMoved } from "../context/since.ts";
import { gitText, nameBelow, sinceText } from "../context/words.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";
import { cacheOf, factsOf } from "./context-facts.ts";
import type { Invocation, Io } from "./command.ts";
import { assertMeant, isMeant } from "./confirm.ts";
import { homely } from "./folder-text.ts";
import { countText, oneLine, print, printFacts, printJson } from "./print.ts";
import { sessionAt, withSessions } from "./sessions.ts";

/** A session's context, opened for one command. */
function withContext(
  invocation: Invocation,
  io: Io,
  use: (context: SessionContext, record: SessionRecord, registry: SessionRegistry) => Promise<number>,
): Promise<number> {
  return withSessions(invocation, io, async (registry) => {
    const record = await sessionAt(registry, invocation.operands[0] ?? "", io);
    return use(new SessionContext(registry, { discoveries: cacheOf(io) }), record, registry);
  });
}

export function showSessionContext(invocation: Invocation, io: Io): Promise<number> {
  const isFresh = invocation.flags["refresh"] === true;
  return withContext(invocation, io, async (context, record) => {
    const view = await (isFresh ? context.refresh(record.id) : context.get(record.id));
    if (invocation.flags["json"]) await printJson(io, view);
    else await printView(view, record, io);
    return 0;
  });
}

export function refreshContext(invocation: Invocation, io: Io): Promise<number> {
  return withContext(invocation, io, async (context, record) => {
    const view = await context.refresh(record.id);
    if (invocation.flags["json"]) await printJson(io, view);
    else
      await print(
        io,
        `Looked at ${countText(view.files.length, "known file")}${projectText(view, record, io)}; version ${view.version}\n`,
      );
    return 0;
  });
}

function projectText({ project }: ContextView, { cwd }: SessionRecord, io: Io): string {
  return project === undefined ? `; ${oneLine(homely(cwd, io))} is not there` : " and the project";
}

export function clearContext(invocation: Invocation, io: Io): Promise<number> {
  assertMeant("context clear forgets what a session knows of files", invocation, io, "--yes");
  return withContext(invocation, io, async (context, record) => {
    const { version, files, values } = await context.get(record.id);
    const what = `${countText(files.length, "known file")} and ${countText(Object.keys(values).length, "value")}`;
    const question = `Forget ${what} of ${record.id}? What was said stays.`;
    if (!(await isMeant(question, invocation, io, "Nothing was changed."))) return 1;
    const view = await context.clear(record.id, { version });
    if (invocation.flags["json"]) await printJson(io, view);
    else await print(io, `Forgotten: ${what}\n`);
    return 0;
  });
}

export function diffContext(invocation: Invocation, io: Io): Promise<number> {
  const { flags } = invocation;
  const [from, to] = [seqFrom("from", flags["from"]), seqFrom("to", flags["to"])];
  return withContext(invocation, io, async (context, record) => {
    const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
    const diff = await context.diff(record.id, range);
    if (flags["json"] === true) await printJson(io, { id: record.id, ...diff });
    else {
      const isKept = diff.from > 0;
      if (from !== undefined)
        await print(
          io,
          isKept ? `Since the snapshot at entry ${diff.from}:\n` : "There is no snapshot yet:\n",
        );
      await print(io, diffText(record, diff, flags["all"] === true));
    }
    return 0;
  });
}

/** Errors: `USAGE`. */
function seqFrom(flag: string, text: string | true | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(String(text))) return Number(text);
  throw new SidecarError("USAGE", `--${flag} is ${JSON.stringify(text)}; allowed: the number of an entry`);
}

function diffText({ cwd }: SessionRecord, { files, git, others, to }: ContextDiff, withAll: boolean): string {
  const said = git === undefined ? [] : [`${oneLine(gitText(git))}\n`];
  const isShown = (file: (typeof files)[number]) => withAll || isMoved(file);
  const lines = files.filter(isShown).map((file) => `${oneLine(sinceText(file, cwd))}\n`);
  const more = withAll && others.length > 0 ? [`Elsewhere: ${others.map(oneLine).join(", ")}\n`] : [];
  const all = [...said, ...lines, ...more];
  if (files.length === 0 && to !== undefined) return `${all.join("")}No known file was changed in between.\n`;
  if (files.length === 0)
    return `${all.join("")}The agent was shown no file, and has written none, as far as the client saw.\n`;
  return `${all.join("")}${all.length > 0 ? "\n" : ""}${countText(files.length, "file")}: ${sumsOf(files)}\n`;
}

function sumsOf(files: ContextDiff["files"]): string {
  const of = (...wanted: readonly string[]) => files.filter(({ what }) => wanted.includes(what)).length;
  const created = of("created") > 0 ? `${of("created")} created, ` : "";
  const renamed = of("renamed") > 0 ? `${of("renamed")} renamed, ` : "";
  return `${created}${of("changed")} changed, ${renamed}${of("deleted")} deleted, ${of("same")} as the agent knows them, ${of("unknown")} of which nobody can tell`;
}

async function printView(view: ContextView, record: SessionRecord, io: Io): Promise<void> {
  const { project, values, files, version, git, isFull } = view;
  await printFacts(io, [
    ["session", record.id],
    ["version", String(version)],
    ...(project === undefined
      ? [["folder", `${homely(record.cwd, io)} (not there)`] as const]
      : factsOf(project, io)),
    ["last at work on", git && [git.branch, git.head?.slice(0, 12)].filter(Boolean).join(", ")],
    ...Object.entries(values).map(
      ([key, value]) => [`value ${oneLine(key)}`, JSON.stringify(value)] as const,
    ),
    ["known files", isFull === true ? `${files.length}, those told of last` : String(files.length)],
  ]);
  for (const file of files) await print(io, `  ${oneLine(fileText(file, record.cwd))}\n`);
}

function fileText({ path: file, how, from, size, unread }: ContextFile, cwd: string): string {
  const facts = [
    how,
    ...(from === "disk" ? [] : [fromTexts[from]]),
    ...(size === undefined ? [] : [sizeText(size)]),
    ...(unread === undefined ? [] : [`${unread}: not read`]),
  ];
  return `${nameBelow(file, cwd)} (${facts.join(", ")})`;
}

const fromTexts = {
  buffer: "as an editor had it, not saved",
  unknown: "nobody has seen what it held",
  nothing: "was not there",
} as const;
