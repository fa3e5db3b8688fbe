/** The shapes of requests and answers, by zod: what is checked here is what `/api/openapi.json` says. */
import * as z from "zod/mini";
import { permissions } from "../store/guarded/permissions.ts";

/** Shapes with a name of their own in the document. */
const named = z.registry<{ id: string }>();

export function component<T extends z.ZodMiniType>(id: string, schema: T): T {
  named.add(schema, { id });
  return schema;
}

export const described = <T extends z.ZodMiniType>(schema: T, text: string): T =>
  schema.check(z.describe(text));

export const millis = (text: string) =>
  described(z.int().check(z.gte(0)), `${text}, milliseconds since 1970`);
export const seq = described(z.int().check(z.gte(0)), "number of an entry in its session");
export const anything = z.unknown();
export const sessionId = described(
  z.string().check(z.regex(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/, "must be a session's id")),
  "a session's id, a ULID",
);
export const metadata = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
export const folder = described(z.string().check(z.minLength(1), z.maxLength(4096)), "an absolute folder");
export const title = z.string().check(z.minLength(1), z.maxLength(1000));
/** As text in a query. */
export const count = (max: number) => z.coerce.number().check(z.multipleOf(1), z.gte(1), z.lte(max));
export const from0 = z.coerce.number().check(z.multipleOf(1), z.gte(0), z.lte(Number.MAX_SAFE_INTEGER));
export const truth = z.enum(["true", "false"]);
export const permission = z.enum(permissions);

const holder = z.object({ host: z.string(), pid: z.int(), startedAt: z.string() });

/** Members that only a program needs who knows them may come besides. */
export const sessionSchema = component(
  "Session",
  z.object({
    id: sessionId,
    createdAtMs: millis("created at"),
    updatedAtMs: millis("last activity"),
    title: z.optional(z.string()),
    cwd: z.string(),
    additionalDirectories: z.array(z.string()),
    state: described(z.enum(["idle", "open", "running"]), "nobody has it, somebody has it open, a turn runs"),
    archived: z.boolean(),
    headSeq: seq,
    sealedSeq: described(z.int(), "entries up to here are final"),
    metadata,
    settings: anything,
    client: z.optional(anything),
    agent: z.optional(anything),
    mcpServerNames: z.array(z.string()),
    agentSessionIds: z.array(z.string()),
    lineage: z.optional(z.object({ parentId: sessionId, atSeq: seq })),
    lease: z.optional(
      z.object({
        holder,
        fence: z.int(),
        sinceMs: z.number(),
        expiresAtMs: z.number(),
        turnRunning: z.boolean(),
        isHere: described(z.boolean(), "this very server has it: its turn can be cancelled here"),
      }),
    ),
  }),
);

export const problemSchema = component(
  "Problem",
  z.object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: described(z.string(), "one line that says what to do"),
    code: described(z.string(), "stable: a program may act upon it"),
    holder: z.optional(described(z.object({ host: z.string(), pid: z.int() }), "who has the session")),
    since: z.optional(described(z.string(), "since when, ISO 8601")),
    turnRunning: z.optional(z.boolean()),
  }),
);

export const contentSchema = component(
  "Content",
  described(
    z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]),
    "text, or content blocks of ACP",
  ),
);

/** JSON Schema 2020-12 of all that has a name, and of others with references to those. */
export function jsonSchemas(): {
  readonly components: Readonly<Record<string, unknown>>;
  readonly of: (schema: unknown) => Readonly<Record<string, unknown>>;
} {
  const options = {
    io: "input",
    unrepresentable: "any",
    uri: (id: string) => `#/components/schemas/${id}`,
  } as const;
  const { schemas } = z.toJSONSchema(named, options);
  const components = Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, plain(schema)]));
  const of = (schema: unknown) => {
    const known = named.get(schema as z.ZodMiniType);
    if (known !== undefined) return { $ref: `#/components/schemas/${known.id}` };
    return plain(z.toJSONSchema(schema as z.ZodMiniType, { io: "input", unrepresentable: "any" }));
  };
  return { components, of };
}

function plain(schema: object): Readonly<Record<string, unknown>> {
  const { $schema: _, $id: __, id: ___, ...rest } = schema as Record<string, unknown>;
  return rest;
}
