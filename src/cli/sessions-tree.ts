/** `sessions tree`: which sessions were forked from which. */
import { isArchived } from "../session/archived.ts";
import { branchesOf, type Branch } from "../history/lineage.ts";
import type { Invocation, Io } from "./command.ts";
import { oneLine, Outflow, print, timeText } from "./print.ts";
import { sessionAt, withSessions } from "./sessions.ts";
import { styleFor, type Style } from "./style.ts";
import { fitted } from "./width.ts";

/** So much is written at once: a write for each line takes longer than all the rest of it. */
const piece = 1 << 14;

export function showTree(invocation: Invocation, io: Io): Promise<number> {
  const style = styleFor(invocation, io);
  return withSessions(invocation, io, async (registry) => {
    const [address] = invocation.operands;
    const of = address === undefined ? undefined : await sessionAt(registry, address, io);
    const isJson = invocation.flags["json"] === true;
    const flow = new Outflow(io);
    let count = 0;
    let waiting = "";
    for await (const branch of branchesOf(registry, of)) {
      const text = isJson
        ? `${count === 0 ? "[\n" : ",\n"}${jsonOf(branch)}`
        : lineOf(branch, of?.id, style, io);
      count += 1;
      waiting += text;
      if (waiting.length < piece) continue;
      if (!(await flow.write(waiting))) return 0;
      waiting = "";
    }
    if (!(await flow.write(waiting))) return 0;
    if (isJson) await print(io, count === 0 ? "[]\n" : "\n]\n");
    else if (count === 0) await print(io, "No session was forked from another.\n");
    return 0;
  });
}

function jsonOf({ id, record, isUnreadable, depth }: Branch): string {
  const { lineage, title, cwd, headSeq, updatedAtMs } = record ?? {};
  return JSON.stringify({
    id,
    depth,
    isDeleted: record === undefined && !isUnreadable,
    ...(isUnreadable && { isUnreadable }),
    isArchived: record !== undefined && isArchived(record),
    ...lineage,
    title,
    cwd,
    headSeq,
    updatedAtMs,
  });
}

function lineOf(
  { id, record, isUnreadable, isLast }: Branch,
  meant: string | undefined,
  style: Style,
  { columns }: Io,
): string {
  const above = isLast.slice(0, -1).map((last) => (last ? "   " : "│  "));
  const own = isLast.length === 0 ? "" : isLast.at(-1) === true ? "└─ " : "├─ ";
  const from = record?.lineage === undefined ? "" : ` from #${record.lineage.atSeq}`;
  const away = record !== undefined && isArchived(record) ? "  (archived)" : "";
  const about =
    record === undefined
      ? isUnreadable
        ? "(cannot be read)"
        : "(deleted)"
      : `${timeText(record.updatedAtMs)}${from}${away}  ${oneLine(record.title ?? "")}`;
  const text = `${above.join("")}${own}${id}  ${about}`.trimEnd();
  const line = columns === undefined ? text : fitted(text, columns);
  return `${id === meant ? style.bold(line) : line}\n`;
}
