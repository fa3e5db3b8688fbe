import { describe, expect, expectTypeOf, it } from "vitest";
import type * as z from "zod/mini";
import { newSessionId } from "../../src/base/ids.ts";
import { entrySchema, sessionRecordSchema } from "../../src/session/schema.ts";
import type { Entry, SessionRecord } from "../../src/store/contract.ts";

/** zod writes optional keys as `?: T | undefined`, ours are exact. */
type Exact<T> = T extends string | readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]: Exact<Exclude<T[K], undefined>> }
    : T;
type Frozen<T> = T extends string
  ? T
  : T extends readonly (infer I)[]
    ? readonly Frozen<I>[]
    : T extends object
      ? { readonly [K in keyof T]: Frozen<T[K]> }
      : T;

describe("the schemas of what is stored", () => {
  it("say the same as the store's types", () => {
    expectTypeOf<Exact<z.output<typeof sessionRecordSchema>>>().toExtend<SessionRecord>();
    expectTypeOf<SessionRecord>().toExtend<Frozen<z.input<typeof sessionRecordSchema>>>();
    expectTypeOf<keyof SessionRecord>().toEqualTypeOf<keyof z.output<typeof sessionRecordSchema>>();
    expectTypeOf<z.output<typeof entrySchema>>().toExtend<Entry>();
    expectTypeOf<Entry>().toExtend<z.input<typeof entrySchema>>();
    expectTypeOf<keyof Entry>().toEqualTypeOf<keyof z.output<typeof entrySchema>>();
  });

  it("take a whole record and refuse one with a made-up id", () => {
    const record = {
      id: newSessionId(),
      createdAtMs: 1,
      updatedAtMs: 2,
      cwd: "/project",
      additionalDirectories: [],
      mcpServerNames: ["files"],
      agentSessionIds: [],
      settings: { modeId: "plan", configOptions: { model: { name: "large" } } },
      lineage: { parentId: newSessionId(), atSeq: 3 },
      metadata: { team: "blue", priority: 1, pinned: true },
      headSeq: 4,
      sealedSeq: 4,
      lease: {
        holder: { host: "here", pid: 1, startedAt: "1" },
        fence: 1,
        sinceMs: 1,
        expiresAtMs: 2,
        turnRunning: false,
      },
    };
    expect(sessionRecordSchema.safeParse(record)).toEqual({ success: true, data: record });
    expect(sessionRecordSchema.safeParse({ ...record, id: "one" }).success).toBe(false);
  });

  it("refuse an entry without a place", () => {
    const entry = { kind: "prompt", atMs: 1, data: "{}" };
    expect(entrySchema.safeParse({ ...entry, seq: 1 }).success).toBe(true);
    expect(entrySchema.safeParse({ ...entry, seq: 0 }).success).toBe(false);
    expect(entrySchema.safeParse(entry).success).toBe(false);
  });
});
