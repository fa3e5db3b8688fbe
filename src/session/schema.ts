/** The shapes of what is stored, by zod: the source of schemas/session.json and schemas/entry.json. */
import * as z from "zod/mini";
import { isSessionId, sessionIdForm, type SessionId } from "../base/ids.ts";
import { kindsOfEntries } from "../store/arguments.ts";

const described = <T extends z.ZodMiniType>(schema: T, text: string): T => schema.check(z.describe(text));
const millis = (text: string) => described(z.int().check(z.gte(0)), `${text}, milliseconds since 1970`);
const seq = z.int().check(z.gte(0));
const texts = z.array(z.string());
const id = described(
  z.pipe(z.string().check(z.regex(sessionIdForm)), z.custom<SessionId>(isSessionId)),
  "ULID minted by the sidecar",
);
const json = z.json();

const holder = z.object({
  host: z.string(),
  pid: z.int(),
  startedAt: z.string(),
  agent: z.optional(z.object({ pid: z.int(), startedAt: z.string() })),
});

const lease = z.object({
  holder,
  fence: described(seq, "only grows; a write under an older one is refused"),
  sinceMs: millis("taken at"),
  expiresAtMs: millis("runs out at"),
  turnRunning: z.boolean(),
});

const agent = z.object({ info: z.optional(json), command: z.optional(z.string()) });

const chosen = {
  modeId: z.optional(z.string()),
  modelId: z.optional(z.string()),
  configOptions: z.optional(z.record(z.string(), json)),
};

export const sessionRecordSchema = z.object({
  id,
  createdAtMs: millis("created at"),
  updatedAtMs: millis("last activity"),
  cwd: z.string(),
  additionalDirectories: texts,
  title: z.optional(z.string()),
  client: z.optional(z.object({ info: z.optional(json), capabilities: z.optional(json) })),
  agent: z.optional(agent),
  mcpServerNames: described(texts, "names only: commands, env and headers are never stored"),
  agentSessionIds: described(texts, "ids that agents have known it by, the newest last"),
  settings: z.object({
    ...chosen,
    owesSettings: z.optional(
      described(z.object(chosen), "chosen by the client, and not taken again by the agent yet"),
    ),
    systemPromptSeq: z.optional(described(seq, "the entry with the client's instructions")),
    owesHandoverTo: z.optional(
      described(z.string(), "the agent's session that has not had the conversation yet"),
    ),
    ownAgentIds: z.optional(
      described(
        z.int().check(z.gte(0)),
        "how many of agentSessionIds, from the end, the present agent may go on with",
      ),
    ),
    formerIds: z.optional(
      described(
        z.record(z.string(), agent),
        "of the other agentSessionIds: whose they are, as far as is known",
      ),
    ),
    rewinds: z.optional(
      described(
        z.array(z.object({ at: seq, toSeq: seq })),
        "its rewind entries: where each stands, and the last entry that counted then",
      ),
    ),
  }),
  lineage: z.optional(z.object({ parentId: id, atSeq: seq })),
  metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  headSeq: described(seq, "seq of the last entry, inherited ones counted"),
  sealedSeq: described(seq, "entries up to here are final"),
  lease: z.optional(lease),
});

export const entrySchema = z.object({
  seq: described(z.int().check(z.gte(1)), "place in the session, without gaps"),
  kind: z.enum(kindsOfEntries),
  atMs: millis("written at"),
  data: described(z.string(), "JSON text of one object"),
});
