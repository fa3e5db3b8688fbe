/** A record as it stands in a line. What comes from outside is bounded, without secrets, and on one line. */
import { withoutSecretShapes } from "../base/secret-shapes.ts";
import type { Secrets } from "../base/secrets.ts";
import { visibleLine } from "../base/visible.ts";
import type { AuditFacts } from "./audit.ts";

/** What of a text is recorded. */
const maxChars = 200;
/** What of it is looked at. */
const maxLookedAt = 4 * maxChars;
const maxFacts = 40;

export interface Recorded {
  readonly who: string;
  readonly via: string;
  readonly what: string;
  readonly session?: string | undefined;
  readonly outcome: string;
  readonly code?: string | undefined;
  readonly facts?: AuditFacts;
}

/** The members of a line, as JSON without braces. */
export function bodyOf(
  { who, via, what, session, outcome, code, facts = {} }: Recorded,
  secrets: Secrets | undefined,
  nowMs: number,
): string {
  const short = (text: string) => shortText(text, secrets);
  const said = Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .slice(0, maxFacts)
    .map(([name, value]) => [name, typeof value === "string" ? short(value) : value] as const);
  const record = {
    at: new Date(nowMs).toISOString(),
    who: short(who),
    pid: process.pid,
    via,
    what,
    ...(session !== undefined && { session: short(session) }),
    outcome,
    ...(code !== undefined && { code }),
    ...(said.length > 0 && { facts: Object.fromEntries(said) }),
  };
  return JSON.stringify(record).slice(1, -1);
}

export function shortText(text: string, secrets: Secrets | undefined): string {
  const looked = text.slice(0, maxLookedAt);
  // What was cut may end with the beginning of a secret.
  const hide = (all: string) =>
    (looked.length < text.length ? secrets?.hideCut(all) : secrets?.hide(all)) ?? all;
  const shown = visibleLine(withoutSecretShapes(hide(looked)).text);
  return shown.length > maxChars || looked.length < text.length ? `${cut(shown)}…` : shown;
}

/** Not within a character. */
function cut(text: string): string {
  const last = text.charCodeAt(maxChars - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? maxChars - 1 : maxChars);
}
