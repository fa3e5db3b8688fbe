/** What sessions, folders and agents are called. */
import { isRecord, textOr } from "../base/json.ts";
import { visibleLine } from "../base/visible.ts";
import type { Session } from "./shapes.ts";

export function titleOf({ title, id }: Pick<Session, "title" | "id">): string {
  const line = visibleLine((title ?? "").slice(0, 1000)).trim();
  return line === "" ? `Session ${id.slice(-6)}` : line;
}

/** The last part of a folder's path; the whole one stands beside it. */
export function folderName(cwd: string): string {
  const parts = cwd.split(/[\\/]/).filter((part) => part !== "");
  return visibleLine(parts.at(-1) ?? cwd);
}

/** "" where it has not said what it is. */
export function agentOf({ agent }: Pick<Session, "agent">): string {
  const { title, name, version } = isRecord(agent?.info) ? agent.info : {};
  const program = agent?.command?.split(/[\\/]/).at(-1) ?? "";
  const called = textOr(title, "") || textOr(name, "") || program;
  return visibleLine(`${called} ${textOr(version, "")}`.trim().slice(0, 100));
}

export const states = { idle: "Idle", open: "Open", running: "Running" } as const;
