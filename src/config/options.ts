/** Every option once: its names, what is allowed, its default. What checks the values is in schema.ts. */
import type { AgentCommand, AuditMode, Config, Durability, LogLevel, OnBusy } from "./config.ts";
import { contextOptions } from "./context-options.ts";
import type { Option, OptionKind } from "./option-kinds.ts";

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;
const kib = 1024;
const mib = 1024 * kib;

const durabilities = ["none", "turn", "full"] as const satisfies readonly Durability[];
const busyRules = ["idle", "error", "takeover"] as const satisfies readonly OnBusy[];
const auditModes = ["off", "on", "required"] as const satisfies readonly AuditMode[];
const logLevels = ["silent", "error", "warn", "info", "debug"] as const satisfies readonly LogLevel[];
// Node's timers hold no more than 2³¹ − 1 ms.
const longestTimerMs = 24 * day;
// A session's entries are JSON texts in memory one at a time; V8's longest string is 512 MiB.
const largestText = 256 * mib;

/** By the key in the configuration file; flag and environment variable are the same name in their own style. */
export const options = {
  store: { key: "store", kind: { type: "url" }, help: "where sessions are kept" },
  encryptionKey: {
    key: "encryptionKey",
    kind: { type: "key" },
    help: "where the key is that all of the store is encrypted with",
  },
  previousKeys: {
    key: "previousKeys",
    kind: { type: "keys" },
    help: "where the keys are that the store was encrypted with before",
  },
  identity: {
    key: "identity",
    kind: { type: "name" },
    help: "as whom we act: sessions made here belong to that name",
  },
  admins: {
    key: "admins",
    kind: { type: "names" },
    help: "names that reach all sessions, whosever they are",
  },
  token: {
    key: "token",
    kind: { type: "key" },
    help: "where the token is with whose rights we act",
  },
  durability: {
    key: "durability",
    default: "turn",
    kind: { type: "choice", values: durabilities },
    help: "when what is written is made safe",
  },
  onBusy: {
    key: "onBusy",
    default: "idle",
    kind: { type: "choice", values: busyRules },
    help: "whose session may be taken over by loading it",
  },
  cancelGrace: {
    key: "cancelGraceMs",
    default: 10 * second,
    kind: { type: "duration", min: 0, max: hour },
    help: "how long a cancelled turn may go on before it is ended",
  },
  idleTimeout: {
    key: "idleTimeoutMs",
    default: hour,
    kind: { type: "duration", min: 1, max: 3650 * day },
    help: "a session idle for this long is detached; its history stays",
  },
  sweepInterval: {
    key: "sweepIntervalMs",
    default: 300 * second,
    kind: { type: "duration", min: 1, max: longestTimerMs },
    help: "how often idle and old sessions are looked for",
  },
  retention: {
    key: "retentionMs",
    default: "off",
    kind: { type: "optionalDuration", min: hour, max: 36500 * day },
    help: "a session without activity for this long is deleted",
  },
  trash: {
    key: "trashMs",
    default: 30 * day,
    off: 0,
    kind: { type: "optionalDuration", min: hour, max: 36500 * day },
    help: "what retention and commands delete can be restored for this long",
  },
  archiveAfter: {
    key: "archiveAfterMs",
    default: "off",
    kind: { type: "optionalDuration", min: hour, max: 36500 * day },
    help: "a session without activity for this long is archived",
  },
  upkeepInterval: {
    key: "upkeepIntervalMs",
    default: 600 * second,
    off: 0,
    kind: { type: "optionalDuration", min: second, max: longestTimerMs },
    help: "how often the store is looked after, by one process, when it is idle",
  },
  maxSessions: {
    key: "maxSessions",
    default: 1000,
    kind: { type: "count", min: 1, max: 1_000_000 },
    help: "live sessions at once",
  },
  maxMessageBytes: {
    key: "maxMessageBytes",
    default: 64 * mib,
    kind: { type: "size", min: kib, max: largestText },
    help: "longest message that is read",
  },
  maxEntryBytes: {
    key: "maxEntryBytes",
    default: 64 * mib,
    kind: { type: "size", min: kib, max: largestText },
    help: "longest prompt that is taken",
  },
  handoverBytes: {
    key: "handoverBytes",
    default: 64 * kib,
    kind: { type: "size", min: 0, max: 16 * mib },
    help: "how much of a conversation an agent without memory is given",
  },
  leaseTtl: {
    key: "leaseTtlMs",
    default: 30 * second,
    kind: { type: "duration", min: 100, max: hour },
    help: "how long a session stays held when its holder is silent",
  },
  agentRestarts: {
    key: "agentRestart.attempts",
    default: 5,
    kind: { type: "count", min: 0, max: 1000 },
    help: "how often in a row a dead agent is started again",
  },
  agentBackoff: {
    key: "agentRestart.backoffMs",
    default: 500,
    kind: { type: "duration", min: 0, max: hour },
    help: "pause before the first restart; it doubles with each",
  },
  commands: {
    key: "commands",
    default: "on",
    kind: { type: "choice", values: ["on", "off"] },
    help: "answer /sidecar … in prompts, and offer it among the agent's slash commands",
  },
  endpoint: {
    key: "endpoint",
    default: "on",
    kind: { type: "choice", values: ["on", "off"] },
    help: "let ps, top, figures and sessions end ask what this process does",
  },
  ...contextOptions,
  audit: {
    key: "audit",
    default: "on",
    kind: { type: "choice", values: auditModes },
    help: "record who did what; required: what cannot be recorded is not done",
  },
  auditFile: { key: "auditFile", kind: { type: "path" }, help: "where that is recorded" },
  auditSigningKey: {
    key: "auditSigningKey",
    kind: { type: "key" },
    help: "where the key is that the newest state of each session is signed with there",
  },
  auditBytes: {
    key: "auditBytes",
    default: 8 * mib,
    kind: { type: "size", min: 64 * kib, max: 1024 * mib },
    help: "a file of the audit log that is larger is put aside",
  },
  auditFiles: {
    key: "auditFiles",
    default: 10,
    kind: { type: "count", min: 1, max: 10_000 },
    help: "how many files that were put aside are kept",
  },
  logLevel: {
    key: "logLevel",
    default: "warn",
    kind: { type: "choice", values: logLevels },
    help: "what is logged",
  },
  logFile: { key: "logFile", kind: { type: "path" }, help: "where the log goes instead of stderr" },
} as const satisfies Record<string, Option>;

export type OptionName = keyof typeof options;
export const optionNames = Object.keys(options) as readonly OptionName[];

type ValueOf<K extends OptionKind> = K extends { readonly values: readonly (infer V)[] }
  ? V
  : K["type"] extends "url" | "path" | "key" | "name"
    ? string
    : K["type"] extends "keys" | "names"
      ? readonly string[]
      : K["type"] extends "optionalDuration"
        ? number | "off"
        : number;

/** Values of options, units resolved: milliseconds and bytes. */
export type Settings = { readonly [N in OptionName]?: ValueOf<(typeof options)[N]["kind"]> };

/** A configuration that may not say yet where sessions are kept. */
type Defaulted = Omit<Config, "store"> & Partial<Pick<Config, "store">>;

/** What is not set has its default. */
export function configOf(settings: Settings, agent?: AgentCommand): Defaulted {
  const config: Record<string, unknown> = agent === undefined ? {} : { agent };
  for (const name of optionNames) {
    const { key, default: otherwise, off, kind }: Option = options[name];
    const found = settings[name] ?? otherwise;
    const value = found === "off" && kind.type !== "choice" ? off : found;
    if (value === undefined) continue;
    const [place = "", part] = key.split(".");
    config[place] = part === undefined ? value : { ...(config[place] as object), [part]: value };
  }
  return config as unknown as Defaulted;
}

/** The configuration where nothing is said; the place of the store depends on the platform. */
export const defaults: Omit<Config, "store"> = configOf({});

/** The value of an option in a configuration; undefined for one that is off or not there. */
export function valueIn(
  config: Partial<Config>,
  name: OptionName,
): string | number | readonly string[] | undefined {
  const [place = "", part] = options[name].key.split(".");
  const value = (config as Readonly<Record<string, unknown>>)[place];
  const found = part === undefined ? value : (value as Readonly<Record<string, unknown>> | undefined)?.[part];
  return found as ReturnType<typeof valueIn>;
}

/** `idleTimeout` is `--idle-timeout`. */
export function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `idleTimeout` is `ACP_SIDECAR_IDLE_TIMEOUT`. */
export function variableOf(name: string): string {
  return `ACP_SIDECAR_${flagOf(name).replaceAll("-", "_").toUpperCase()}`;
}
