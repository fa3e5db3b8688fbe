/** A configuration as it is recorded: what is in force, without anything that may be secret. */
import { redactStoreUrl } from "../base/redact.ts";
import { version } from "../base/version.ts";
import type { Config } from "../config/config.ts";
import { optionNames, options, valueIn } from "../config/options.ts";
import type { AuditFacts } from "./audit.ts";

/** @param store its URL, or the name of one that was handed over */
export function factsOf(config: Partial<Config>, store: string): AuditFacts {
  const facts: Record<string, string | number | undefined> = { version };
  for (const name of optionNames) facts[name] = name === "store" ? redactStoreUrl(store) : said(config, name);
  // Arguments and environment may hold secrets.
  const { hooks = [], alerts = [], backup } = config;
  const told = { hooks: hooks.length, alerts: alerts.length, backup: backup && redactStoreUrl(backup.to) };
  return { ...facts, ...told, agent: config.agent?.command ?? "echo" };
}

function said(config: Partial<Config>, name: keyof typeof options): string | number | undefined {
  const value = valueIn(config, name);
  if (value === undefined || typeof value === "number") return value;
  // Where a key comes from may be a command with anything in it.
  return /^keys?$/.test(options[name].kind.type) ? "set" : String(value);
}
