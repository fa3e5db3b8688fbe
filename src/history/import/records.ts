/** Lines of JSON as objects. What is none is named, and costs nothing else. */
import { isRecord } from "../../base/json.ts";
import type { Line } from "./lines.ts";
import type { Report } from "./native.ts";

export type Fields = Readonly<Record<string, unknown>>;

export function recordOf(
  { text, number: line, isOpen }: Line,
  path: string,
  report: Report,
): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
    report({ path, line, reason: "is no JSON object" });
  } catch {
    if (isOpen) report({ path, line, reason: "is not complete yet; it is read when it is", isPending: true });
    else report({ path, line, reason: "is no JSON" });
  }
  return undefined;
}

export function textIn(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" ? value : undefined;
}

export function recordIn(fields: Fields, name: string): Fields | undefined {
  const value = fields[name];
  return isRecord(value) ? value : undefined;
}

export function listIn(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}
