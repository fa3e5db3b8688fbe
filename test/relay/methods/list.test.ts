import { afterEach, describe, expect, it, vi } from "vitest";
import type { SessionId } from "../../../src/base/ids.ts";
import { RpcError } from "../../../src/rpc/errors.ts";
import { Keyring } from "../../../src/store/encrypted/keyring.ts";
import { encryptedStore } from "../../../src/store/encrypted/store.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { type Rig, initialized, rig } from "../rig.ts";

async function listed({ client }: Rig, params: object = {}): Promise<string[]> {
  const { sessions } = (await client.request("session/list", params)) as {
    sessions: { sessionId: string }[];
  };
  return sessions.map(({ sessionId }) => sessionId);
}

const never = () => new Promise<never>(() => undefined);

afterEach(() => {
  vi.useRealTimers();
});

/** Lets time pass for timers alone until `promise` settles. */
async function inNoTime<T>(promise: Promise<T>): Promise<T> {
  let settled = false;
  const done = () => (settled = true);
  promise.then(done, done);
  while (!settled) {
    vi.advanceTimersByTime(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return promise;
}

describe("a folder", () => {
  it("is the same however it is written [REQ list-cwd]", async () => {
    const relay = await rig();
    const made = (cwd: string) => relay.client.request("session/new", { cwd, mcpServers: [] });
    await made("/project/");
    await made("/project/x/..");
    await made("/project/x");
    expect(await listed(relay, { cwd: "/project" })).toHaveLength(2);
    expect(await listed(relay, { cwd: "/project/./" })).toHaveLength(2);
    expect(await listed(relay, { cwd: "/project/x" })).toHaveLength(1);
    // The agent gets what the client wrote.
    expect(relay.agentNow().heardOf("session/new")[0]).toMatchObject({ cwd: "/project/" });
    await relay.close();
  });
});

describe("an agent that does not answer", () => {
  it("holds up neither the list of our sessions nor a deletion", async () => {
    const relay = await rig({
      script: {
        initialize: initialized({ list: {}, delete: {} }),
        "session/list": never,
        "session/delete": never,
      },
    });
    const sessionId = await relay.newSession();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const list = await inNoTime(relay.client.request("session/list", {}));
    expect(list).toMatchObject({ sessions: [{ sessionId }] });
    expect(await inNoTime(relay.client.request("session/delete", { sessionId }))).toEqual({});
    vi.useRealTimers();
    expect(relay.agentNow().heardOf("session/delete")).toEqual([{ sessionId: "agent-1" }]);
    await relay.close();
  });
});

describe("a later page of the agent's list", () => {
  it("that fails is an error, not the end of the list; a failing first page spoils nothing [REQ list-cursor]", async () => {
    const pages = (cursor: unknown) => {
      if (cursor !== "2") throw new RpcError(-32602, "no such page");
      return { sessions: [{ sessionId: "theirs", cwd: "/work" }] };
    };
    const relay = await rig({
      script: {
        initialize: initialized({ list: {} }),
        "session/list": ({ cursor }) => pages(cursor),
      },
    });
    const sessionId = await relay.newSession();
    const list = (cursor?: string) => relay.client.request("session/list", { ...(cursor && { cursor }) });
    const page = (cursor: string) => `a.${Buffer.from(cursor).toString("base64url")}`;
    expect(await list()).toMatchObject({ sessions: [{ sessionId }] });
    expect(await list(page("2"))).toEqual({
      sessions: [{ archived: false, sessionId: "theirs", cwd: "/work" }],
    });
    await expect(list(page("3"))).rejects.toMatchObject({ code: -32602, message: "no such page" });
    await expect(list("a.?")).rejects.toMatchObject({ data: { code: "INVALID_CURSOR" } });
    await relay.close();
  });
});

describe("a session that cannot be decrypted", () => {
  it("is named beside the others, and costs them nothing", async () => {
    const inside = openMemoryStore();
    const store = await encryptedStore(inside, new Keyring(new Uint8Array(32)));
    const relay = await rig({ store });
    const made = async () =>
      (await relay.client.request("session/new", { cwd: "/project", mcpServers: [] })) as {
        sessionId: SessionId;
      };
    const [{ sessionId: bad }, { sessionId: good }] = [await made(), await made()];
    await inside.update(bad, { title: "plain" });
    expect(await relay.client.request("session/list", { cwd: "/project" })).toMatchObject({
      sessions: [{ sessionId: good }],
      _meta: { "acp-sidecar": { unreadable: [{ sessionId: bad, code: "DECRYPT_FAILED" }] } },
    });
    const load = relay.client.request("session/load", { sessionId: bad, cwd: "/project", mcpServers: [] });
    await expect(load).rejects.toMatchObject({ data: { code: "DECRYPT_FAILED", sessionId: bad } });
    await relay.close();
  });
});
