/** A configuration that a program gives: callers without types are told what is wrong, by name. */
import { SidecarError } from "../base/errors.ts";
import { principalAllowed, principalFrom } from "../base/principal-name.ts";
import type { Config } from "./config.ts";
import type { OptionKind } from "./option-kinds.ts";
import { optionNames, options, valueIn } from "./options.ts";

/** What it does not say is left alone. Errors: `INVALID_PARAMS` for what a value cannot be; its bounds are the program's. */
export function checkSaid(config: Partial<Omit<Config, "store">>, at: string): void {
  for (const name of optionNames) {
    const { kind, key } = options[name];
    const value: unknown = valueIn(config, name);
    // Who says where the sessions are says it elsewhere.
    if (name === "store" || value === undefined || fits(kind, value)) continue;
    throw mustBe(`${at}.${key}`, wanted(kind));
  }
  const { agent }: { readonly agent?: unknown } = config;
  if (agent !== undefined && !isCommand(agent))
    throw mustBe(`${at}.agent`, "an object with a command and a list of args");
}

function mustBe(at: string, be: string): SidecarError {
  return new SidecarError("INVALID_PARAMS", `${at} must be ${be}`, { data: { at } });
}

function fits(kind: OptionKind, value: unknown): boolean {
  switch (kind.type) {
    case "url":
    case "path":
    case "key":
      return typeof value === "string";
    case "name":
      return principalFrom(value) !== undefined;
    case "keys":
      return isTexts(value);
    case "names":
      return isTexts(value) && value.every((each) => principalFrom(each) !== undefined);
    case "choice":
      return kind.values.includes(value as string);
    default:
      return typeof value === "number" && value >= 0;
  }
}

function wanted(kind: OptionKind): string {
  if (kind.type === "choice") return `one of ${kind.values.join(", ")}`;
  if (kind.type === "name") return principalAllowed;
  if (kind.type === "names") return `a list of names, each ${principalAllowed}`;
  if (kind.type === "keys") return "a list of strings";
  return ["url", "path", "key"].includes(kind.type) ? "a string" : "a number that is not negative";
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function isCommand(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { command, args } = value as { readonly command?: unknown; readonly args?: unknown };
  return typeof command === "string" && isTexts(args);
}
