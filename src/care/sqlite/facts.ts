/** A session's facts, as far as the index of terms still tells them when its record is lost. */
import { isRecord } from "../../base/json.ts";
import type { NewSession } from "../../store/contract.ts";

type Facts = Omit<NewSession, "id" | "updatedAtMs">;

/** Whether a stored text is what a record must hold at least. */
export function areFacts(text: string): boolean {
  let facts: unknown;
  try {
    facts = JSON.parse(text);
  } catch {
    return false;
  }
  if (!isRecord(facts)) return false;
  const { cwd, createdAtMs, additionalDirectories, mcpServerNames, agentSessionIds, settings, metadata } =
    facts;
  return (
    typeof cwd === "string" &&
    typeof createdAtMs === "number" &&
    [additionalDirectories, mcpServerNames, agentSessionIds].every(areTexts) &&
    [settings, metadata].every(isRecord)
  );
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

/** Undefined when the folder is not known: without one a session cannot be loaded. See store/sql/sqlite/terms.ts. */
export function factsFrom(terms: readonly string[], createdAtMs: number, baseSeq: number): Facts | undefined {
  const values = (kind: string) =>
    terms.filter((term) => term.startsWith(`${kind}:`)).map((term) => term.slice(kind.length + 1));
  const [cwd] = values("c");
  if (cwd === undefined) return undefined;
  const [parentId] = values("p") as NewSession["id"][];
  return {
    createdAtMs,
    cwd,
    additionalDirectories: [],
    mcpServerNames: [],
    agentSessionIds: values("a"),
    settings: {},
    ...(parentId !== undefined && { lineage: { parentId, atSeq: baseSeq } }),
    metadata: Object.assign({}, ...values("m").map(pairIn)) as NewSession["metadata"],
  };
}

/** `"key"=value`, both in JSON: a key may hold an equals sign, so the first one that leaves JSON on both sides. */
function pairIn(text: string): NewSession["metadata"] {
  for (let at = text.indexOf("="); at !== -1; at = text.indexOf("=", at + 1)) {
    try {
      const key = JSON.parse(text.slice(0, at)) as string;
      return { [key]: JSON.parse(text.slice(at + 1)) as string };
    } catch {
      // Not this one.
    }
  }
  return {};
}
