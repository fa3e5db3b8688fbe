/** What a configured value may be, by zod; also the source of schemas/config.json. */
import * as z from "zod/mini";
import { layeredUrl, storeUrlPattern } from "../base/store-url.ts";
import { longestName, principalPattern } from "../base/principal-name.ts";
import type { OptionKind } from "./option-kinds.ts";
import { options, type OptionName } from "./options.ts";
import { hookEvents, type StructureName } from "./structures.ts";
import { durationPattern, parseBytes, parseDurationMs, sizePattern } from "./units.ts";

function range(min: number, max: number) {
  return z.int().check(z.gte(min), z.lte(max));
}

/** Without a unit only 0 is clear. */
function duration(min: number, max: number) {
  const text = z.string().check(z.regex(durationPattern));
  const inRange = z.pipe(z.pipe(text, z.transform(parseDurationMs)), range(min, max));
  return min > 0 ? inRange : z.union([z.literal(0), inRange]);
}

/** A number, or a text that stands for one. */
function quantity(pattern: RegExp, parse: (text: string) => number, min: number, max: number) {
  const text = z.pipe(z.pipe(z.string().check(z.regex(pattern)), z.transform(parse)), range(min, max));
  return z.union([range(min, max), text]);
}

function schemaOf(kind: OptionKind): z.ZodMiniType {
  switch (kind.type) {
    case "url": {
      const url = z.string().check(z.regex(storeUrlPattern));
      // A list is for people; from here on its one URL stands for it.
      const layers = z.pipe(
        z.array(url).check(z.minLength(2)),
        z.transform((urls: string[]) => layeredUrl(urls)),
      );
      return z.union([url, layers]);
    }
    case "path":
      return z.string().check(z.minLength(1));
    case "key":
      return keySource();
    case "keys":
      return oneOrSeveral(keySource());
    case "name":
      return principal();
    case "names":
      return oneOrSeveral(principal());
    case "choice":
      return z.enum(kind.values);
    case "count":
      return quantity(/^\d+$/, Number, kind.min, kind.max);
    case "size":
      return quantity(sizePattern, parseBytes, kind.min, kind.max);
    case "duration":
      return duration(kind.min, kind.max);
    case "optionalDuration":
      return z.union([offSchema(), duration(kind.min, kind.max)]);
  }
}

function oneOrSeveral(one: z.ZodMiniType<string, string>) {
  return z.union([
    z.array(one),
    z.pipe(
      one,
      z.transform((each: string) => [each]),
    ),
  ]);
}

/** Checked in the one spelling in which it is kept, however it is typed. */
function principal() {
  return z.pipe(
    z.pipe(
      z.string().check(z.minLength(1), z.maxLength(4 * longestName)),
      z.transform((text: string) => text.normalize("NFC")),
    ),
    z.string().check(z.regex(principalPattern)),
  );
}

function keySource() {
  return z.string().check(z.regex(/^(?:file|env|command):./));
}

function offSchema() {
  return z.pipe(
    z.union([z.literal("off"), z.literal("0"), z.literal(0)]),
    z.transform(() => "off"),
  );
}

/** Checks one value of an option, from any source, and resolves its units. */
export function optionSchema(name: OptionName): z.ZodMiniType {
  return schemaOf(options[name].kind);
}

export const agentSchema = z.strictObject({
  command: z.string().check(z.minLength(1)),
  args: z.optional(z.array(z.string())),
  env: z.optional(z.record(z.string(), z.string())),
});

const receiver = {
  run: z.optional(z.array(z.string().check(z.minLength(1))).check(z.minLength(1))),
  post: z.optional(z.string().check(z.regex(/^https?:\/\/[^\s/]/i))),
  headers: z.optional(z.record(z.string().check(z.regex(/^[\w-]+$/)), z.string())),
  timeout: z.optional(duration(1, 3_600_000)),
};

/** What only the file says; who is told by neither a program nor an address is found out in check-structures.ts. */
export const structureSchemas = {
  hooks: z.array(
    z.strictObject({
      on: z.union([z.enum(hookEvents), z.array(z.enum(hookEvents)).check(z.minLength(1))]),
      content: z.optional(z.boolean()),
      ...receiver,
    }),
  ),
  alerts: z.array(z.strictObject({ when: z.string().check(z.minLength(1)), ...receiver })),
  backup: z.strictObject({
    to: z.string().check(z.regex(/^(?:sqlite|file):./)),
    every: duration(60_000, 3650 * 86_400_000),
    keep: z.int().check(z.gte(1), z.lte(10_000)),
  }),
} as const;

const structureHelp: Readonly<Record<StructureName, string>> = {
  hooks: "who is told what happens to sessions",
  alerts: "who is told that something is wrong, and that it is over",
  backup: "where the store is copied to, how often, and how many copies stay",
};

/** The whole configuration file. */
export function configFileSchema(): z.ZodMiniType {
  const values = Object.entries(options).map(([name, { kind, help }]) => [
    name,
    z.optional(schemaOf(kind).check(z.describe(help))),
  ]);
  return z.strictObject({
    $schema: z.optional(z.string()),
    ...(Object.fromEntries(values) as Record<OptionName, z.ZodMiniType>),
    agent: z.optional(agentSchema.check(z.describe("the program that answers prompts"))),
    hooks: z.optional(structureSchemas.hooks.check(z.describe(structureHelp.hooks))),
    alerts: z.optional(structureSchemas.alerts.check(z.describe(structureHelp.alerts))),
    backup: z.optional(structureSchemas.backup.check(z.describe(structureHelp.backup))),
  });
}
