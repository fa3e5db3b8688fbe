/** Two sidecars of two principals on one store: every method of the table, and what the agents have of their own. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { noAudit, type Audit } from "../../src/audit/audit.ts";
import { methodNames } from "../../src/relay/relay.ts";
import type { SessionId } from "../../src/base/ids.ts";
import { guardedAs } from "../../src/store/guarded/open.ts";
import { guardedStore } from "../../src/store/guarded/store.ts";
import { tokenInvalid } from "../../src/store/guarded/tokens.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import type { Permission } from "../../src/store/guarded/permissions.ts";
import { gate, initialized, rig, until, type Rig, type RigOptions, type ScriptedAgent } from "./rig.ts";

const rigs: Rig[] = [];
afterEach(async () => {
  for (const each of rigs.splice(0)) await each.close();
});

async function rigFor(identity: string | undefined, store = openMemoryStore(), options: RigOptions = {}) {
  const named = identity === undefined ? {} : { identity };
  const made = await rig({ ...options, store: guardedAs(store, named) });
  rigs.push(made);
  return made;
}

const script = {
  initialize: initialized({ list: {}, delete: {}, resume: {}, close: {}, fork: {} }, { loadSession: true }),
};

/** Ann's sidecar with a session of hers, let go of, and Bob's on the same store. */
async function annAndBob(permissions?: readonly Permission[]) {
  const store = openMemoryStore();
  const ann = await rigFor("ann", store, { script });
  const id = (await ann.newSession()) as SessionId;
  await ann.prompt(id, "a secret of ann's");
  await ann.client.request("session/close", { sessionId: id });
  if (permissions !== undefined) await ann.registry.sharing.share(id, { with: "bob", permissions });
  const bob = await rigFor("bob", store, { script });
  return { store, ann, bob, id };
}

interface Case {
  readonly params?: (sessionId: string) => object;
  /** What one is told who may only read; `undefined`: it is allowed. */
  readonly reader?: "FORBIDDEN";
  /** It is not about a session of ours. */
  readonly isAboutNone?: true;
}

const named = (sessionId: string) => ({ sessionId });
const located = (sessionId: string) => ({ sessionId, cwd: "/work", mcpServers: [] });

/** Every method that the sidecar knows. */
const cases: Readonly<Record<string, Case>> = {
  authenticate: { isAboutNone: true },
  logout: { isAboutNone: true },
  "providers/set": { isAboutNone: true },
  "providers/disable": { isAboutNone: true },
  "session/new": { isAboutNone: true },
  "session/list": { isAboutNone: true },
  "_acp-sidecar/search": { isAboutNone: true },
  "session/fork": { params: located, reader: "FORBIDDEN" },
  "session/load": { params: located },
  "session/resume": { params: located, reader: "FORBIDDEN" },
  "session/prompt": {
    params: (sessionId) => ({ sessionId, prompt: [{ type: "text", text: "x" }] }),
    reader: "FORBIDDEN",
  },
  "session/close": { params: named },
  "session/delete": { params: named, reader: "FORBIDDEN" },
  "session/set_mode": { params: (sessionId) => ({ sessionId, modeId: "code" }), reader: "FORBIDDEN" },
  "session/set_model": { params: (sessionId) => ({ sessionId, modelId: "m" }), reader: "FORBIDDEN" },
  "session/set_config_option": {
    params: (sessionId) => ({ sessionId, configId: "c", value: "v" }),
    reader: "FORBIDDEN",
  },
  "session/set_title": { params: (sessionId) => ({ sessionId, title: "t" }), reader: "FORBIDDEN" },
  "_acp-sidecar/export": { params: named, reader: "FORBIDDEN" },
  "session/archive": { params: named, reader: "FORBIDDEN" },
  "session/unarchive": { params: named },
  "session/status": { params: named },
  "_acp-sidecar/rewind": { params: (sessionId) => ({ sessionId, at: 0 }), reader: "FORBIDDEN" },
  "_acp-sidecar/messages": { params: named },
  // One that the sidecar does not know.
  "_agent/own": { params: named, reader: "FORBIDDEN" },
};

describe("a method", () => {
  it("stands in this test, whichever there is", () => {
    expect([...methodNames()].sort()).toEqual(
      Object.keys(cases)
        .filter((name) => name !== "_agent/own")
        .sort(),
    );
  });

  const about = Object.entries(cases).filter(([, { isAboutNone }]) => isAboutNone !== true);

  it.each(about)(
    "%s says of a stranger's session what it says of one that there is not",
    async (method, { params }) => {
      const { ann, bob, id } = await annAndBob();
      const before = await ann.registry.get(id);
      const said = (of: string) =>
        bob.client.request(method, params?.(of)).then(
          (result) => ({ result }),
          (error: { code: number; data?: { code?: string }; message: string }) => ({
            ...{ code: error.code, named: error.data?.code, message: error.message.replaceAll(of, "ID") },
          }),
        );
      const of = await said(id);
      expect(of).toEqual(await said(`${id.slice(0, -4)}ZZZZ`));
      if (method !== "session/delete" && method !== "session/close")
        expect(of).toMatchObject({ named: "SESSION_NOT_FOUND" });
      expect(await ann.registry.get(id)).toEqual(before);
      expect(JSON.stringify([bob.updates, of])).not.toContain("secret of ann");
    },
  );

  it.each(about)(
    "%s is allowed with a session that is shared for reading, or refused: %o",
    async (method, { params, reader }) => {
      const { ann, bob, id } = await annAndBob(["read"]);
      const before = await ann.registry.get(id);
      const asked = bob.client.request(method, params?.(id));
      if (reader === undefined) await asked;
      else await expect(asked).rejects.toMatchObject({ code: -32050, data: { code: reader, sessionId: id } });
      expect(await ann.registry.get(id)).toEqual(before);
      expect(bob.agents.flatMap(({ heard }) => heard).map(([name]) => name)).not.toContain("session/delete");
      expect(await bob.store.count({ metadata: { "acp-sidecar.hidden": "deleted" } })).toBe(0);
    },
  );
});

describe("a session that is shared", () => {
  it("is listed, found and shown to who may read it, and to nobody else", async () => {
    const { store, bob, id } = await annAndBob(["read"]);
    const eve = await rigFor("eve", store, { script });
    const nobody = await rigFor(undefined, store, { script });
    const sessions = async ({ client }: Rig) =>
      ((await client.request("session/list", {})) as { sessions: { sessionId: string }[] }).sessions.map(
        (each) => each.sessionId,
      );
    const hits = async ({ client }: Rig) =>
      (
        (await client.request("_acp-sidecar/search", { query: "secret" })) as {
          sessions: { sessionId: string }[];
        }
      ).sessions.map((each) => each.sessionId);
    expect([await sessions(bob), await hits(bob)]).toEqual([[id], [id]]);
    for (const stranger of [eve, nobody])
      expect([await sessions(stranger), await hits(stranger)]).toEqual([[], []]);
    const answer = await bob.load(id);
    expect(answer).toMatchObject({ _meta: { "acp-sidecar": { readOnly: true } } });
    expect(JSON.stringify(bob.updates)).toContain("a secret of ann's");
    expect(bob.agents.flatMap((agent) => agent.heardOf("session/load"))).toEqual([]);
    await expect(bob.prompt(id)).rejects.toMatchObject({ data: { code: "FORBIDDEN" } });
  });

  it("is shown as it is written to who may only read it, until it is shared no longer", async () => {
    const store = openMemoryStore();
    const [half, whole] = [gate(), gate()];
    const slow = {
      ...script,
      "session/prompt": async (params: object, agent: ScriptedAgent) => {
        const { sessionId } = params as { sessionId: string };
        await agent.say(sessionId, "first half, ");
        await half.passed;
        await agent.say(sessionId, "second half");
        await whole.passed;
        return { stopReason: "end_turn" };
      },
    };
    const ann = await rigFor("ann", store, { script: slow });
    const id = (await ann.newSession()) as SessionId;
    await ann.registry.sharing.share(id, { with: "bob" });
    const turn = ann.prompt(id);
    await until(() => ann.shown() === "first half, ");
    const bob = await rigFor("bob", store, { script });
    await bob.load(id);
    // What is not final yet, too.
    expect(bob.shown()).toBe("first half, ");
    half.open();
    await until(() => bob.shown() === "first half, second half");
    whole.open();
    await turn;
    await ann.prompt(id);
    await until(() => bob.shown().split("second half").length === 3);
    expect(bob.shown()).toBe("first half, second halffirst half, second half");
    const prompts = bob.updates.filter(({ update }) => update.sessionUpdate === "user_message_chunk");
    expect(prompts).toHaveLength(2);
    await ann.registry.sharing.unshare(id, "bob");
    await until(() => bob.shown().includes("no longer shared with you"));
    const after = bob.shown();
    await ann.prompt(id);
    expect(bob.shown()).toBe(after);
  });

  it("is recorded as refused to the stranger who would delete it, by our id or the agent's", async () => {
    const { store, ann, id } = await annAndBob();
    const refused: unknown[] = [];
    const audit: Audit = {
      ...noAudit,
      noteRefused: ({ what, session, facts }) => void refused.push([what, session, facts?.["method"]]),
    };
    const bob = await rigFor("bob", store, { script, registry: { audit } });
    const { agentSessionIds = [] } = await ann.registry.get(id);
    const asked = [id, ...agentSessionIds];
    for (const sessionId of asked) await bob.client.request("session/delete", { sessionId });
    expect(refused).toEqual(asked.map((each) => ["access.refuse", each, "session/delete"]));
    expect(asked).toHaveLength(2);
  });

  it("is followed no more once it is closed", async () => {
    const { store, ann, bob, id } = await annAndBob(["read"]);
    const prompts = ({ updates }: Rig) =>
      updates.filter(({ update }) => update.sessionUpdate === "user_message_chunk").length;
    await ann.registry.sharing.share(id, { with: "eve" });
    const eve = await rigFor("eve", store, { script });
    await eve.load(id);
    await bob.load(id);
    await bob.client.request("session/close", { sessionId: id });
    const reads = vi.spyOn(bob.registry, "get");
    await ann.load(id);
    for (const seen of [2, 3, 4]) {
      await ann.prompt(id);
      await until(() => prompts(eve) === seen);
    }
    expect(reads).not.toHaveBeenCalled();
    expect(prompts(bob)).toBe(1);
  });

  it("goes on with who may write, and answers no permission of who may not decide them", async () => {
    const asking = {
      ...script,
      "session/prompt": async (params: object, agent: { connection: Rig["client"] }) => {
        const { sessionId } = params as { sessionId: string };
        const options = [
          { optionId: "yes", name: "Yes", kind: "allow_once" },
          { optionId: "no", name: "No", kind: "reject_once" },
        ];
        const toolCall = { toolCallId: "t", title: "rm" };
        const answer = await agent.connection.request("session/request_permission", {
          sessionId,
          options,
          toolCall,
        });
        answers.push(answer);
        return { stopReason: "end_turn" };
      },
    };
    const answers: unknown[] = [];
    const store = openMemoryStore();
    const ann = await rigFor("ann", store, { script });
    const id = (await ann.newSession()) as SessionId;
    await ann.client.request("session/close", { sessionId: id });
    const allow = { outcome: { outcome: "selected", optionId: "yes" } };
    const asked: unknown[] = [];
    const client = { "session/request_permission": (params: object) => (asked.push(params), allow) };
    await ann.registry.sharing.share(id, { with: "bob", permissions: ["prompt"] });
    const bob = await rigFor("bob", store, { script: asking, client });
    await bob.load(id);
    expect(await bob.prompt(id)).toMatchObject({ stopReason: "end_turn" });
    expect(answers).toEqual([{ outcome: { outcome: "selected", optionId: "no" } }]);
    expect(asked).toEqual([]);
    // Nobody was asked, so it is said that something was.
    expect(bob.shown()).toContain(
      "The agent asked permission for: rm. You may not decide that in this session",
    );
    await bob.client.request("session/close", { sessionId: id });
    await ann.registry.sharing.share(id, { with: "bob", permissions: ["prompt", "decide"] });
    await bob.load(id);
    await bob.prompt(id);
    expect(answers[1]).toEqual(allow);
    expect((await ann.registry.get(id)).headSeq).toBeGreaterThan(4);
  });

  it("is ended under whoever writes, by its owner: the turn fails and says why", async () => {
    const store = openMemoryStore();
    const ann = await rigFor("ann", store, { script });
    const endless = { ...script, "session/prompt": () => new Promise<never>(() => undefined) };
    const id = (await ann.newSession()) as SessionId;
    await ann.client.request("session/close", { sessionId: id });
    await ann.registry.sharing.share(id, { with: "bob", permissions: ["prompt"] });
    const bob = await rigFor("bob", store, { script: endless, relay: { leaseTtlMs: 300 } });
    await bob.load(id);
    const turn = bob.prompt(id);
    const failed = expect(turn).rejects.toMatchObject({ data: { code: "LEASE_LOST" } });
    await until(() => bob.agentNow().heardOf("session/prompt").length === 1);
    // Both are this process, which never takes from itself.
    const elsewhere = { host: "elsewhere", pid: 1, startedAt: "x" };
    await expect(bob.registry.sharing.endHolding(id, { force: true })).rejects.toMatchObject({
      code: "FORBIDDEN",
    });
    const taken = await ann.store.acquire(id, { holder: elsewhere, ttlMs: 60_000, mayTake: () => true });
    await failed;
    const lease = await ann.store.renew({ ...taken.lease, turnRunning: false });
    expect(await ann.registry.sharing.endHolding(id)).toBe(true);
    expect(await ann.registry.sharing.endHolding(id)).toBe(false);
    await expect(ann.store.renew(lease)).rejects.toMatchObject({ code: "LEASE_LOST" });
  });

  it("stops being written to when it is taken back", async () => {
    const store = openMemoryStore();
    const ann = await rigFor("ann", store, { script });
    const id = (await ann.newSession()) as SessionId;
    await ann.client.request("session/close", { sessionId: id });
    await ann.registry.sharing.share(id, { with: "bob", permissions: ["prompt"] });
    const endless = { ...script, "session/prompt": () => new Promise<never>(() => undefined) };
    const bob = await rigFor("bob", store, { script: endless, relay: { leaseTtlMs: 300 } });
    await bob.load(id);
    const turn = bob.prompt(id);
    const failed = expect(turn).rejects.toMatchObject({
      message: expect.stringContaining("no longer shared") as string,
      data: { code: "LEASE_LOST" },
    });
    await until(() => bob.agentNow().heardOf("session/prompt").length === 1);
    await ann.registry.sharing.unshare(id, "bob");
    await failed;
    await until(() => bob.shown().includes("no longer write to this session"));
    expect(bob.shown()).not.toMatch(/deleted|taken over/);
    await expect(bob.load(id)).rejects.toMatchObject({ data: { code: "SESSION_NOT_FOUND" } });
  });

  it("ends at its time in the middle of a turn, and in the middle of reading", async () => {
    const store = openMemoryStore();
    const ann = await rigFor("ann", store, { script });
    const [written, read] = [(await ann.newSession()) as SessionId, (await ann.newSession()) as SessionId];
    for (const sessionId of [written, read]) await ann.client.request("session/close", { sessionId });
    const untilMs = Date.now() + 500;
    await ann.registry.sharing.share(written, { with: "bob", permissions: ["prompt"], untilMs });
    await ann.registry.sharing.share(read, { with: "bob", untilMs });
    const endless = { ...script, "session/prompt": () => new Promise<never>(() => undefined) };
    const bob = await rigFor("bob", store, { script: endless, relay: { leaseTtlMs: 300 } });
    await bob.load(read);
    await bob.load(written);
    const failed = expect(bob.prompt(written)).rejects.toMatchObject({ data: { code: "LEASE_LOST" } });
    await failed;
    expect(Date.now()).toBeGreaterThanOrEqual(untilMs);
    await until(() => bob.shown().includes("no longer shared with you, or was deleted"));
    for (const id of [written, read])
      await expect(bob.load(id)).rejects.toMatchObject({ data: { code: "SESSION_NOT_FOUND" } });
  });

  it("is let go of by a token that is revoked in the middle of a turn", async () => {
    const store = openMemoryStore();
    const ann = await rigFor("ann", store, { script });
    const id = (await ann.newSession()) as SessionId;
    await ann.client.request("session/close", { sessionId: id });
    let isRevoked = false;
    const token = { id: "t", name: "t", permissions: ["read", "prompt"], isOwners: false } as const;
    const access = () => {
      if (isRevoked) throw tokenInvalid();
      return { principal: "ann", isAdmin: false, token };
    };
    const endless = { ...script, "session/prompt": () => new Promise<never>(() => undefined) };
    const phone = await rig({
      store: guardedStore(store, access),
      script: endless,
      relay: { leaseTtlMs: 300 },
    });
    rigs.push(phone);
    await phone.load(id);
    const failed = expect(phone.prompt(id)).rejects.toMatchObject({ data: { code: "LEASE_LOST" } });
    await until(() => phone.agentNow().heardOf("session/prompt").length === 1);
    isRevoked = true;
    await failed;
    await until(() => phone.shown().includes("the token in use has ended"));
    expect(phone.shown()).not.toContain("taken over");
    const listing = phone.client.request("session/list", {});
    await expect(listing).rejects.toMatchObject({ data: { code: "TOKEN_INVALID" } });
    await expect(phone.load(id)).rejects.toMatchObject({ data: { code: "TOKEN_INVALID" } });
    // Its owner has it at once.
    await ann.load(id);
    await ann.prompt(id);
  });
});

describe("what an agent has of a stranger's session", () => {
  it("does not come in by its list, by loading, asking or deleting", async () => {
    const { ann, bob, id } = await annAndBob();
    const [agentSessionId = ""] = (await ann.registry.get(id)).agentSessionIds;
    const sessions = [
      { sessionId: agentSessionId, cwd: "/work" },
      { sessionId: "bobs-own", cwd: "/work" },
    ];
    const listing = { ...script, "session/list": () => ({ sessions }) };
    const other = await rigFor("eve", undefined, { script: listing });
    const eve = await rigFor("bob", await annAndBobStore(ann), { script: listing });
    expect(
      ((await other.client.request("session/list", {})) as { sessions: unknown[] }).sessions,
    ).toHaveLength(2);
    expect(await eve.client.request("session/list", {})).toMatchObject({
      sessions: [{ sessionId: "bobs-own" }],
    });
    for (const method of [
      "session/load",
      "session/resume",
      "session/status",
      "session/archive",
      "session/unarchive",
    ])
      await expect(eve.client.request(method, located(agentSessionId)), method).rejects.toMatchObject({
        code: -32002,
      });
    await eve.client.request("session/delete", { sessionId: agentSessionId });
    const heard = eve.agents.flatMap((agent) => agent.heard.map(([name]) => name));
    expect(heard.filter((name) => !["initialize", "session/list"].includes(name))).toEqual([]);
    expect(await ann.registry.find(agentSessionId)).toMatchObject({ id });
    await bob.close();
  });
});

/** The store that a rig stands on. */
async function annAndBobStore({ store }: Rig) {
  const { guardOf } = await import("../../src/store/guarded/guard.ts");
  return guardOf(store)?.inner ?? store;
}
