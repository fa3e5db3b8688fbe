/** `session/list`: order, filter, pages, and the sessions that only the agent knows. */
import { symlinkSync } from "node:fs";
import type { SessionInfo } from "@agentclientprotocol/sdk";
import { beforeAll, describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import { SdkClient } from "./harness/sdk-client.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project("many");

let client: SdkClient;
let created: string[] = [];

/** All pages of a list. */
async function listAll(by: SdkClient, filter: object = {}): Promise<SessionInfo[][]> {
  const pages: SessionInfo[][] = [];
  let cursor: string | null | undefined;
  do {
    const page = await by.agent.request("session/list", { ...filter, ...(cursor ? { cursor } : {}) });
    pages.push(page.sessions);
    cursor = page.nextCursor;
  } while (cursor);
  return pages;
}

const idsOf = (sessions: readonly SessionInfo[]) => sessions.map(({ sessionId }) => sessionId);

beforeAll(async () => {
  client = await harness.connect();
  created = [];
  for (let n = 0; n < 60; n += 1) created.push((await client.newSession(cwd)).sessionId);
});

describe("session/list", () => {
  it("pages through all of them, newest first, none missed or doubled [REQ list-order, list-pages]", async () => {
    const pages = await listAll(client, { cwd });
    expect(pages.length).toBeGreaterThan(1);
    expect(idsOf(pages.flat())).toEqual([...created].reverse());
  });

  it("puts the session with the newest activity first, with title and time [REQ list-order, list-facts]", async () => {
    const startedAtMs = Date.now();
    const [oldest = ""] = created;
    await client.prompt(oldest, "Wake up");
    const { sessions } = await client.agent.request("session/list", {});
    expect(sessions[0]).toMatchObject({ sessionId: oldest, cwd, title: "Wake up" });
    expect(Date.parse(sessions[0]?.updatedAt ?? "")).toBeGreaterThanOrEqual(startedAtMs - 1000);
    expect(sessions[0]?._meta).toHaveProperty("acp-sidecar");
  });

  it("filters by cwd [REQ list-cwd]", async () => {
    const elsewhere = harness.project("elsewhere");
    const { sessionId } = await client.newSession(elsewhere);
    const { sessions } = await client.agent.request("session/list", { cwd: elsewhere });
    expect(idsOf(sessions)).toEqual([sessionId]);
    expect(idsOf((await listAll(client, { cwd })).flat())).not.toContain(sessionId);
  });

  it("finds a folder by another spelling, and says it as it was asked [REQ list-cwd]", async () => {
    const project = harness.project("caf\u00e9");
    const link = harness.path("link");
    symlinkSync(project, link);
    const ours = [await client.newSession(project), await client.newSession(link)].map(
      (each) => each.sessionId,
    );
    for (const asked of [project, link, project.normalize("NFD")]) {
      const { sessions } = await client.agent.request("session/list", { cwd: asked });
      expect(idsOf(sessions).toSorted()).toEqual(ours.toSorted());
      expect(sessions.map((each) => each.cwd)).toEqual([asked, asked]);
    }
  });

  it.each(["garbage", "", "AAAA", "Z".repeat(300)])(
    "refuses the cursor %j [REQ list-cursor]",
    async (cursor) => {
      const refusal = { code: -32602, data: { code: "INVALID_CURSOR" } };
      await expect(client.agent.request("session/list", { cursor })).rejects.toMatchObject(refusal);
    },
  );
});

describe("an agent that lists sessions of its own", () => {
  it("has all pages of them appended to ours, none missed or doubled [REQ list-agent, list-pages]", async () => {
    const project = harness.project("paged");
    const state = harness.path("state");
    const alone = new SdkClient(harness.direct(["agent.mjs", "--state", state]));
    await alone.initialize();
    for (let n = 0; n < 7; n += 1) await alone.newSession(project);
    await harness.stop(alone.program);

    const agent = ["agent.mjs", "--list", "--load", "--list-page", "3", "--state", state];
    const through = await harness.connect({ agent });
    const ours: string[] = [];
    for (let n = 0; n < 55; n += 1) ours.push((await through.newSession(project)).sessionId);
    const listed = idsOf((await listAll(through, { cwd: project })).flat());
    expect(listed.slice(0, 55)).toEqual(ours.reverse());
    expect(listed).toHaveLength(62);
    expect(new Set(listed).size).toBe(62);
  });

  it("has them appended, and they are ours once they are loaded [REQ list-agent]", async () => {
    const project = harness.project("agents-own");
    const agent = ["agent.mjs", "--list", "--load", "--state", harness.path("state")];
    const alone = harness.direct(agent);
    const editor = new SdkClient(alone);
    await editor.initialize();
    const own = await editor.newSession(project);
    await editor.prompt(own.sessionId, "stream 3\ntool");
    await harness.stop(alone);

    const store = harness.storeUrl();
    const through = await harness.connect({ agent, store });
    const ours = await through.newSession(project);
    const listed = (await listAll(through, { cwd: project })).flat();
    expect(listed).toHaveLength(2);
    expect(listed[0]?.sessionId).toBe(ours.sessionId);
    const foreign = listed[1]?.sessionId ?? "";

    const replayed = await through.replay(foreign, project);
    expect(textOf(replayed)).toBe("[1][2][3]");
    expect(await through.say(foreign, "hello")).toBe("echo: hello");
    expect((await listAll(through, { cwd: project })).flat()).toHaveLength(2);
    await harness.stop(through.program);

    const later = await harness.connect({ agent: ["agent.mjs"], store });
    const kept = (await listAll(later, { cwd: project })).flat();
    expect(kept).toHaveLength(2);
    const known = kept.find(({ sessionId }) => sessionId !== ours.sessionId)?.sessionId ?? "";
    expect(textOf(await later.replay(known, project))).toBe("[1][2][3]echo: hello");
  });
});
