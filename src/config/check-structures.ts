/** What only the configuration file says, checked: the first thing that is wrong is named with its place. */
import { SidecarError } from "../base/errors.ts";
import { holdsToken } from "../base/token-form.ts";
import { briefly, visibleLine } from "../base/visible.ts";
import { conditionFrom } from "./condition.ts";
import type { Given } from "./given.ts";
import { structureSchemas } from "./schema.ts";
import {
  hookEvents,
  type Alert,
  type BackupPlan,
  type Hook,
  type Receiver,
  type StructureName,
} from "./structures.ts";

const allowed: Readonly<Record<StructureName, string>> = {
  hooks: `a list of {"on": [EVENT…], "run": [COMMAND, ARG…] or "post": "https://…"}, perhaps with "content", "headers", "timeout"; events: ${hookEvents.join(", ")}`,
  alerts: `a list of {"when": CONDITION, "run": [COMMAND, ARG…] or "post": "https://…"}, perhaps with "headers", "timeout"`,
  backup: `{"to": "sqlite:PATH" or "file:PATH", "every": a time like 12h from 1m, "keep": a whole number from 1}`,
};

/** How long a program or a server may take, unless it is said. */
const defaultTimeoutMs = 10_000;

/** Errors: `CONFIG_INVALID`. */
export function checkStructure(
  name: StructureName,
  { value, label }: Given,
): readonly Hook[] | readonly Alert[] | BackupPlan {
  const wrong = (what: string) => invalid(name, `${label} ${what}`);
  const result = structureSchemas[name].safeParse(value);
  if (!result.success) throw wrong(`${whereIn(result.error.issues[0])}; allowed: ${allowed[name]}`);
  if (name === "backup") return planOf(result.data as ReadPlan);
  return (result.data as readonly ReadReceiver[]).map((each, at) => {
    const { run, post, headers } = each;
    if ((run === undefined) === (post === undefined))
      throw wrong(`is wrong at ${at}: it has to have either run or post; allowed: ${allowed[name]}`);
    if (run !== undefined && headers !== undefined)
      throw wrong(`is wrong at ${at}: headers are of a post; allowed: ${allowed[name]}`);
    if (post !== undefined && !isAddress(post))
      throw wrong(`is wrong at ${at}.post: it is no address; allowed: ${allowed[name]}`);
    if (holdsToken(run?.join(" ") ?? ""))
      throw wrong(
        `holds a token at ${at}.run, which others can see in lists of processes; give it to the program by a file`,
      );
    if (each.when === undefined) return hookOf(each);
    const condition = conditionFrom(each.when);
    if (typeof condition === "string") throw wrong(`is wrong at ${at}.when, which ${condition}`);
    return { when: each.when.trim(), ...receiverOf(each) };
  }) as readonly Hook[] | readonly Alert[];
}

interface ReadReceiver extends Partial<Omit<Receiver, "timeoutMs">> {
  readonly timeout?: number;
  readonly on?: Hook["on"] | Hook["on"][number];
  readonly when?: string;
  readonly content?: boolean;
}

interface ReadPlan {
  readonly to: string;
  readonly every: number;
  readonly keep: number;
}

function hookOf({ on = [], content = false, ...receiver }: ReadReceiver): Hook {
  return { on: [on].flat() as Hook["on"], content, ...receiverOf(receiver) };
}

function receiverOf({ run, post, headers, timeout = defaultTimeoutMs }: ReadReceiver): Receiver {
  return {
    ...(run !== undefined && { run }),
    ...(post !== undefined && { post }),
    ...(headers !== undefined && { headers }),
    timeoutMs: timeout,
  };
}

function planOf({ to, every, keep }: ReadPlan): BackupPlan {
  return { to, everyMs: every, keep };
}

interface Issue {
  readonly code?: string;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
}

/** The value is not shown: addresses, headers and arguments may be secret. */
function whereIn(issue: Issue | undefined): string {
  const place = issue?.path.map(String).join(".") ?? "";
  const key = issue?.code === "unrecognized_keys" ? issue.keys?.[0] : undefined;
  const unknown = key === undefined ? "" : `: it has no ${JSON.stringify(briefly(visibleLine(key)))}`;
  return place === "" && unknown === ""
    ? "is wrong"
    : `is wrong${place === "" ? "" : ` at ${place}`}${unknown}`;
}

function isAddress(text: string): boolean {
  return URL.canParse(text);
}

function invalid(option: StructureName, message: string): SidecarError {
  return new SidecarError("CONFIG_INVALID", message, { data: { option } });
}
