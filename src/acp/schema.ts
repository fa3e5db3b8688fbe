/** What the sidecar itself reads of ACP's params. Everything else passes through untouched. */
import { metaKey } from "./meta.ts";
import * as z from "zod/mini";
import { SidecarError } from "../base/errors.ts";
import { isAbsoluteFolder, ownSpelling } from "../base/folder.ts";
import { isRecord } from "../base/json.ts";

const absolutePath = z.pipe(
  z.string().check(z.refine((path) => isAbsoluteFolder(path), "must be an absolute path")),
  z.transform((path) => ownSpelling(path)),
);
const directories = z.optional(z.nullable(z.array(absolutePath)));
/** Only the names are ours to know; commands, env and headers are secrets that just pass by. */
const mcpServers = z.array(z.looseObject({ name: z.string() }));
const meta = z.optional(z.nullable(z.record(z.string(), z.unknown())));
export const sessionId = z.string();

/** The fields that ACP requires of the blocks it knows (protocol page "Content"); other kinds pass as they are. */
const contentFields: Readonly<Record<string, readonly string[]>> = {
  text: ["text"],
  image: ["data", "mimeType"],
  audio: ["data", "mimeType"],
  resource_link: ["uri", "name"],
};

function hasItsFields(block: { readonly type: string; readonly [field: string]: unknown }): boolean {
  if (block.type === "resource") return isRecord(block.resource) && typeof block.resource.uri === "string";
  const fields = Object.hasOwn(contentFields, block.type) ? contentFields[block.type] : undefined;
  return (fields ?? []).every((field) => typeof block[field] === "string");
}

export const initializeParams = z.looseObject({
  protocolVersion: z.number().check(z.int(), z.gte(0)),
  clientCapabilities: z.optional(z.nullable(z.record(z.string(), z.unknown()))),
  clientInfo: z.optional(z.nullable(z.record(z.string(), z.unknown()))),
});

export const newSessionParams = z.looseObject({
  cwd: absolutePath,
  mcpServers: z.optional(z.nullable(mcpServers)),
  additionalDirectories: directories,
  _meta: meta,
});

/** `session/load`, `session/resume` and `session/fork`. */
export const existingSessionParams = z.looseObject({
  sessionId,
  cwd: absolutePath,
  mcpServers: z.optional(z.nullable(mcpServers)),
  additionalDirectories: directories,
  _meta: meta,
});

export const promptParams = z.looseObject({
  sessionId,
  prompt: z.array(
    z.looseObject({ type: z.string() }).check(z.refine(hasItsFields, "is not a content block")),
  ),
});

export const sessionParams = z.looseObject({ sessionId });

/** `_acp-sidecar/export`. */
export const exportParams = z.looseObject({
  sessionId,
  format: z.optional(z.enum(["markdown", "html", "json", "jsonl", "bundle"])),
  redact: z.optional(z.boolean()),
  thoughts: z.optional(z.boolean()),
  superseded: z.optional(z.boolean()),
});

const instant = z
  .string()
  .check(z.refine((text) => !Number.isNaN(Date.parse(text)), "must be a date and time, as in ISO 8601"));

const exportResult = z.looseObject({
  sessionId,
  format: z.string(),
  mimeType: z.string(),
  content: z.string(),
  redactions: z.optional(z.number()),
});

export const exportSchema = z.object({ params: exportParams, result: exportResult });

/** `_acp-sidecar/search`, a method of our own: all but `query` are filters. */
export const searchParams = z.object({
  query: z.string(),
  cwd: z.optional(absolutePath),
  agent: z.optional(z.string()),
  role: z.optional(z.string()),
  since: z.optional(instant),
  until: z.optional(instant),
  sessionId: z.optional(z.string()),
  archived: z.optional(z.boolean()),
  superseded: z.optional(z.boolean()),
  limit: z.optional(z.number()),
});

export type SearchParams = z.output<typeof searchParams>;

/** The pieces of a snippet, put together, are a line of the message. */
const searchResult = z.object({
  sessions: z.array(
    z.looseObject({
      sessionId,
      cwd: z.string(),
      title: z.optional(z.string()),
      agent: z.optional(z.string()),
      updatedAt: z.string(),
      isMore: z.boolean(),
      hits: z.array(
        z.looseObject({
          address: z.string(),
          seq: z.number(),
          role: z.string(),
          at: z.string(),
          snippet: z.array(z.object({ text: z.string(), isMatch: z.boolean() })),
          superseded: z.optional(z.boolean()),
        }),
      ),
    }),
  ),
  isMore: z.boolean(),
});

export const searchSchema = z.object({ params: searchParams, result: searchResult });

export const setModeParams = z.looseObject({ sessionId, modeId: z.string() });

export const setModelParams = z.looseObject({ sessionId, modelId: z.string() });

/** What is left of a title without the spaces around it must be something. */
export const setTitleParams = z.looseObject({
  sessionId,
  title: z.string().check(z.refine((title) => title.trim() !== "", "must not be empty")),
});

export const setConfigOptionParams = z.looseObject({ sessionId, configId: z.string(), value: z.unknown() });

/** Of ours: parts of names, times of last activity, and how many a page has. */
const listFilter = z.looseObject({
  agent: z.optional(z.string()),
  title: z.optional(z.string()),
  since: z.optional(instant),
  until: z.optional(instant),
  limit: z.optional(z.number().check(z.int(), z.gte(1))),
});

/** What stands in `_meta["acp-sidecar"]` of `session/list`. */
export const listFilterSchema = listFilter;

const isArchiveFilter = (value: string) => ["exclude", "include", "only"].includes(value);

export const listSessionsParams = z.looseObject({
  cwd: z.optional(z.nullable(absolutePath)),
  cursor: z.optional(z.nullable(z.string())),
  archived: z.optional(
    z.nullable(z.string().check(z.refine(isArchiveFilter, "must be exclude, include or only"))),
  ),
  _meta: z.optional(z.nullable(z.looseObject({ [metaKey]: z.optional(listFilter) }))),
});

export type ListSessionsParams = z.infer<typeof listSessionsParams>;
export type NewSessionParams = z.infer<typeof newSessionParams>;
export type ExistingSessionParams = z.infer<typeof existingSessionParams>;
export type PromptParams = z.infer<typeof promptParams>;
/** The params of a prompt without the session id. */
export interface PromptBody {
  readonly prompt: PromptParams["prompt"];
  readonly [field: string]: unknown;
}

/** Errors: `INVALID_PARAMS` with `data.issues` (path and message); values are not quoted. */
export function parseParams<T>(schema: z.ZodMiniType<T>, method: string, params: unknown): T {
  const result = schema.safeParse(params ?? {});
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => ({
    path: issue.path.map(String),
    message: issueWords(issue),
  }));
  const [first] = issues;
  const where = first === undefined || first.path.length === 0 ? "params" : first.path.join(".");
  throw new SidecarError("INVALID_PARAMS", `${method}: ${where} ${first?.message ?? "is invalid"}`, {
    data: { issues },
  });
}

/** What zod/mini says where nobody has said anything. */
const unsaid = "Invalid input";

/** What must be, for a person; zod/mini leaves the words to us. No value is quoted. */
export function issueWords(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${withArticle[issue.expected] ?? `of type ${issue.expected}`}`;
    case "too_small":
      return bound(issue.origin, "at least", issue.minimum);
    case "too_big":
      return bound(issue.origin, "at most", issue.maximum);
    case "unrecognized_keys":
      return "has a field that does not belong there";
    case "invalid_value":
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    case "invalid_union":
      return [
        ...new Set(issue.errors.flatMap(([first]) => (first === undefined ? [] : wordsOf(first)))),
      ].join(", or ");
    case "custom":
      return issue.message;
    case "invalid_format":
      return issue.message === unsaid ? "is not of the form that is wanted" : issue.message;
    case "not_multiple_of":
      return issue.divisor === 1 ? "must be a whole number" : `must be a multiple of ${issue.divisor}`;
    default:
      return `is invalid (${issue.code})`;
  }
}

function bound(origin: string, most: string, limit: number | bigint): string {
  if (origin === "string") return `must have ${most} ${limit} ${limit === 1 ? "character" : "characters"}`;
  if (origin === "array") return `must have ${most} ${limit} ${limit === 1 ? "member" : "members"}`;
  return `must be ${most} ${limit}`;
}

/** Of one of several forms, where something within it is wrong. */
function wordsOf(issue: z.core.$ZodIssue): string {
  return [...issue.path.map(String), issueWords(issue)].join(" ");
}

const withArticle: Readonly<Record<string, string>> = {
  string: "a string",
  boolean: "true or false",
  number: "a number",
  int: "a whole number",
  array: "an array",
  object: "an object",
  record: "an object",
};
