/** `audit show`, `audit verify`, `audit anchor`: who did what, and whether it still says so. */
import { errorFaces, SidecarError } from "../base/errors.ts";
import { isRecord } from "../base/json.ts";
import { saidIn, type Link } from "../audit/line.ts";
import { auditFileOf } from "../audit/open.ts";
import { linesOf } from "../audit/reading.ts";
import { anchorFrom, anchorText, verifyLog, type AuditVerification, type Finding } from "../audit/verify.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";
import { assertOneForm } from "./flags.ts";
import { countText, oneLine, Outflow, print, printJson, timeText } from "./print.ts";
import { instantFrom } from "./when.ts";

type Said = Readonly<Record<string, unknown>>;

export async function showAudit(invocation: Invocation, io: Io): Promise<number> {
  const { flags } = invocation;
  assertOneForm(flags);
  const file = await fileOf(invocation, io);
  const isWanted = wantedBy(flags);
  const isDocument = flags["json"] === true;
  const lineOf = isDocument || flags["jsonl"] === true ? (said: Said) => JSON.stringify(said) : told;
  const flow = new Outflow(io);
  let shown = 0;
  for await (const { bytes } of linesOf(file)) {
    const said = saidIn(bytes);
    if (said === undefined || !isWanted(said)) continue;
    const before = isDocument ? (shown === 0 ? "[\n" : ",\n") : "";
    shown += 1;
    if (!(await flow.write(`${before}${oneLine(lineOf(said))}${isDocument ? "" : "\n"}`))) return 0;
  }
  if (isDocument) await flow.write(shown === 0 ? "[]\n" : "\n]\n");
  if (shown === 0) {
    const how =
      flags["session"] === undefined ? "" : "; --session takes an id as sessions ls has it, or a part of one";
    io.errors.write(`acp-sidecar: nothing is recorded of that in ${oneLine(file)}${how}\n`);
  }
  return 0;
}

function wantedBy(flags: Invocation["flags"]): (said: Said) => boolean {
  const { since, session, who } = flags;
  const fromMs = since === undefined ? -Infinity : instantFrom("since", String(since), Date.now());
  return (said) =>
    (since === undefined || Date.parse(String(said.at)) >= fromMs) &&
    (session === undefined || String(said.session).includes(String(session))) &&
    (who === undefined || String(said.who).includes(String(who)));
}

/** `2026-01-31 14:05:09  ann@host  session.rename 01J…  done  (process 12, acp; toSeq=4)` */
function told({ at, who, what, session, outcome, code, pid, via, facts }: Said): string {
  const ended = code === undefined ? text(outcome) : `${text(outcome)} ${text(code)}`;
  const more = Object.entries(isRecord(facts) ? facts : {}).map(([name, value]) => `${name}=${text(value)}`);
  const about = [`process ${text(pid)}`, text(via), ...more].join(", ");
  const deed = session === undefined ? text(what) : `${text(what)} ${text(session)}`;
  return `${timeText(Date.parse(String(at)))}  ${text(who)}  ${deed}  ${ended}  (${about})`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** Status 5 when it is not as it was written. */
export async function verifyAudit(invocation: Invocation, io: Io): Promise<number> {
  const { flags } = invocation;
  const file = await fileOf(invocation, io);
  const found = await verifyLog(file, anchorOf(flags["anchor"]));
  const isSound = found.problemCount === 0;
  if (flags["json"] === true) await printJson(io, { file, sound: isSound, ...found });
  else await print(io, report(found, file, flags["anchor"] !== undefined));
  return isSound ? 0 : errorFaces.STORE_CORRUPT.exitStatus;
}

function report(found: AuditVerification, file: string, isAnchored: boolean): string {
  const { lines, problems, problemCount, notes, last } = found;
  const said = notes.map((note) => `note: ${note}`);
  if (problemCount === 0) {
    const anchored = isAnchored ? ", the anchor among them" : "";
    const sound = `${countText(lines, "line")}${anchored}: as ${lines === 1 ? "it was" : "they were"} written`;
    const unseen = isAnchored || last === undefined ? [] : [noAnchor];
    return textOf([lines === 0 ? `Nothing is recorded yet in ${file}` : sound, ...said, ...unseen]);
  }
  const more = problemCount - problems.length;
  const rest = more > 0 ? [`and ${countText(more, "more place")}`] : [];
  return textOf([
    `${countText(problemCount, "place")} not as it was written:`,
    ...problems.map(place),
    ...rest,
    ...said,
  ]);
}

const noAnchor =
  "That nothing is missing at its end only an anchor shows that was kept elsewhere: acp-sidecar audit anchor";

function place({ file, line, what }: Finding): string {
  if (line > 0) return `  ${file}, line ${line} ${what}`;
  return file === "" ? `  ${what}` : `  ${file} ${what}`;
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${oneLine(line)}\n`).join("");
}

function anchorOf(given: string | true | undefined): Link | undefined {
  if (given === undefined) return undefined;
  const anchor = anchorFrom(String(given));
  if (anchor !== undefined) return anchor;
  throw new SidecarError("USAGE", "--anchor is none; allowed: what acp-sidecar audit anchor has printed");
}

/** The newest value, to be kept where whoever can write the log cannot. */
export async function printAnchor(invocation: Invocation, io: Io): Promise<number> {
  const file = await fileOf(invocation, io);
  const { last, problemCount } = await verifyLog(file);
  if (problemCount > 0)
    throw new SidecarError(
      "AUDIT_FAILED",
      "The audit log is not as it was written: see acp-sidecar audit verify",
    );
  if (last === undefined) throw new SidecarError("AUDIT_FAILED", `Nothing is recorded yet in ${file}`);
  await print(io, `${anchorText(last)}\n`);
  return 0;
}

async function fileOf(invocation: Invocation, io: Io): Promise<string> {
  const { config } = await configOf(invocation, io);
  const file = auditFileOf(config, io.env);
  if (file !== undefined) return file;
  throw new SidecarError(
    "CONFIG_INVALID",
    "No home directory is known: name the audit log with --audit-file",
  );
}
