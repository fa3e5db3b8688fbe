/** Who may do what with which session, whatever was shared, taken back, handed over and has ended. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { isSidecarError } from "../../src/base/errors.ts";
import type { SessionId } from "../../src/base/ids.ts";
import { exportSession } from "../../src/history/export/export.ts";
import { collect } from "../../src/session/pages.ts";
import { permissions, type Permission } from "../../src/store/guarded/permissions.ts";
import { act, does, isValid, Model } from "./who-may-model.ts";

const codeOf = async (run: () => unknown): Promise<string> => {
  try {
    await run();
    return "done";
  } catch (error) {
    return isSidecarError(error) ? error.code : String(error);
  }
};

async function check(model: Model): Promise<void> {
  for (const actor of model.actors) {
    if (actor.token !== undefined && !isValid(actor.token)) {
      await expect(model.registryOf(actor), actor.name).rejects.toMatchObject({ code: "TOKEN_INVALID" });
      continue;
    }
    const registry = await model.registryOf(actor);
    const seen = model.sessions.filter((each) => model.may(actor, each).length > 0);
    const ids = (of: readonly { readonly id: SessionId }[]) => of.map(({ id }) => id).sort();
    const openIds = ids(seen.filter(({ state }) => state === "open"));
    expect(ids((await registry.list({ archived: "include" })).items), actor.name).toEqual(openIds);
    expect(await registry.count({ archived: "include" }), actor.name).toBe(openIds.length);
    expect(ids((await registry.trash.list()).map(({ record }) => record)), actor.name).toEqual(
      ids(seen.filter(({ state }) => state === "trashed")),
    );
    for (const session of model.sessions) {
      const { id } = session;
      const may = new Set(model.may(actor, session));
      const what = `${actor.name} with the ${session.state} session of ${String(session.owner)}`;
      const isThere = may.size > 0 && session.state === "open";
      const needing = (needs: Permission | "own") => {
        if (!isThere) return "SESSION_NOT_FOUND";
        const isAllowed = needs === "own" ? model.isOwners(actor, session) : may.has(needs);
        return isAllowed ? "done" : "FORBIDDEN";
      };
      expect(await codeOf(() => registry.get(id)), what).toBe(needing("read"));
      // What is in the trash can still be read by whose it is.
      expect(await codeOf(() => collect(registry.read(id))), what).toBe(
        may.size > 0 ? "done" : "SESSION_NOT_FOUND",
      );
      expect(await codeOf(() => registry.touch(id)), what).toBe(needing("prompt"));
      expect(
        await codeOf(async () => {
          for await (const _piece of await exportSession(registry, id, { format: "jsonl" }));
        }),
        what,
      ).toBe(needing("export"));
      expect(await codeOf(() => registry.sharing.require(id, "own")), `${what}: own`).toBe(
        session.state === "trashed" && may.size > 0
          ? model.isOwners(actor, session)
            ? "done"
            : "FORBIDDEN"
          : needing("own"),
      );
      expect(await registry.exists(id), what).toBe(isThere);
      for (const each of permissions)
        if (session.state !== "trashed")
          expect(await registry.sharing.may(id, each), `${what}: ${each}`).toBe(may.has(each));
      if (may.size === 0) expect(await registry.originals.of(id), `${what}: originals`).toEqual([]);
    }
  }
}

describe.each([
  { name: "a session", tags: [], numRuns: 40 },
  { name: "any of many sessions", tags: ["long"], numRuns: 1500 },
])("who may do what with $name [issue 11]", ({ tags, numRuns }) => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: 1_800_000_000_000 }));
  afterEach(() => void vi.useRealTimers());

  it("is what was shared, and nothing else is there", { tags, timeout: 600_000 }, async () => {
    const refusals = ["FORBIDDEN", "SESSION_NOT_FOUND", "INVALID_PARAMS", "STORE_CONFLICT"] as const;
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 25, size: "max" }), async (acts) => {
        vi.setSystemTime(1_800_000_000_000);
        const model = new Model();
        for (const each of acts) {
          try {
            await does(model, each);
          } catch (error) {
            if (!isSidecarError(error, ...refusals)) throw error;
          }
        }
        await check(model);
      }),
      { numRuns },
    );
  });
});
