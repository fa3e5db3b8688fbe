/** `sessions tools`: what the agent did with tools, a line each. */
import { countedPages } from "../history/counted.ts";
import { happeningsIn } from "../session/conversation.ts";
import { toolLogOf, type ToolUse } from "../history/tool-log.ts";
import type { Invocation, Io } from "./command.ts";
import { assertOneForm } from "./flags.ts";
import { paged } from "./pager.ts";
import { oneLine, Outflow, print, timeText } from "./print.ts";
import { sessionAt, withSessions } from "./sessions.ts";
import { styleFor, type Style } from "./style.ts";

export function showTools(invocation: Invocation, io: Io): Promise<number> {
  const { flags, operands } = invocation;
  assertOneForm(flags);
  const style = styleFor(invocation, io);
  return withSessions(invocation, io, async (registry) => {
    const record = await sessionAt(registry, operands[0] ?? "", io);
    const superseded = await registry.superseded(record.id);
    const telling = { superseded, withSuperseded: flags["superseded"] === true };
    const log = toolLogOf(happeningsIn(countedPages(registry, record, telling)));
    if (flags["json"]) return printAll(io, log);
    if (flags["jsonl"]) return printEach(io, log, (use) => `${JSON.stringify(use)}\n`);
    return paged(invocation, io, (out) =>
      printEach(out, log, (use) => lineOf(use, style), "No tool was called.\n"),
    );
  });
}

async function printEach(
  io: Io,
  log: AsyncIterable<ToolUse>,
  textOf: (use: ToolUse) => string,
  none = "",
): Promise<number> {
  const flow = new Outflow(io);
  let isNone = true;
  for await (const use of log) {
    isNone = false;
    if (!(await flow.write(textOf(use)))) break;
  }
  if (isNone) await flow.write(none);
  return 0;
}

async function printAll(io: Io, log: AsyncIterable<ToolUse>): Promise<number> {
  const flow = new Outflow(io);
  let between = "[\n";
  for await (const use of log) {
    if (!(await flow.write(between + JSON.stringify(use)))) return 0;
    between = ",\n";
  }
  await print(io, between === "[\n" ? "[]\n" : "\n]\n");
  return 0;
}

const marks = { completed: ["✓", "green"], failed: ["✗", "red"] } as const;

/** `2026-03-04 09:12:00  #14  ✓ edit  Edit src/total.ts  1.2 s; allowed: Allow once; /src/total.ts` */
function lineOf(use: ToolUse, style: Style): string {
  const { status = "", kind = "other", title, seq, startedAtMs, child, parentCallId } = use;
  const known = Object.hasOwn(marks, status) ? marks[status as keyof typeof marks] : undefined;
  const [mark, colour] = known ?? (["…", "yellow"] as const);
  const indent = child === undefined && parentCallId === undefined ? "" : "  ▸ ";
  const head = `${style.dim(`${timeText(startedAtMs)}  #${seq}`)}  ${indent}${style[colour](mark)} ${oneLine(kind)}  ${oneLine(title)}`;
  const facts = factsOf(use).join("; ");
  return `${head}${facts === "" ? "" : style.dim(`  ${facts}`)}\n`;
}

function factsOf({ tookMs, permission, files, changed }: ToolUse): string[] {
  const facts: string[] = [];
  if (tookMs !== undefined) facts.push(`${(tookMs / 1000).toFixed(1)} s`);
  if (permission !== undefined) {
    const { outcome, option } = permission;
    facts.push(option === undefined ? outcome : `${outcome}: ${oneLine(option)}`);
  }
  const shown = changed.length > 0 ? changed : files;
  if (shown.length > 0)
    facts.push(shown.slice(0, 5).map(oneLine).join(", ") + (shown.length > 5 ? " …" : ""));
  return facts;
}
