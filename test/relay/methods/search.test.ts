import { expect, it } from "vitest";
import { searchSchema } from "../../../src/acp/schema.ts";
import { rig } from "../rig.ts";

it("finds what was said, as the schema has it, and never asks the agent [REQ search-method]", async () => {
  const relay = await rig();
  const { sessionId } = (await relay.client.request("session/new", { cwd: "/project", mcpServers: [] })) as {
    sessionId: string;
  };
  await relay.client.request("session/prompt", {
    sessionId,
    prompt: [{ type: "text", text: "where is the parseHTTPHeader lantern" }],
  });
  const search = (params: object) => relay.client.request("_acp-sidecar/search", params);
  const found = await search({
    query: "header lantern",
    cwd: "/project",
    role: "user",
    since: "2020-01-01T00:00:00Z",
  });
  expect(searchSchema.shape.result.parse(found)).toEqual(found);
  expect(found).toMatchObject({
    sessions: [
      {
        sessionId,
        cwd: "/project",
        isMore: false,
        hits: [{ address: `${sessionId}:1`, seq: 1, role: "user" }],
      },
    ],
    isMore: false,
  });
  expect(await search({ query: "header", sessionId, until: "2020-01-01T00:00:00Z" })).toEqual({
    sessions: [],
    isMore: false,
  });
  await relay.client.request("session/archive", { sessionId });
  expect(await search({ query: "lantern" })).toEqual({ sessions: [], isMore: false });
  expect(await search({ query: "lantern", archived: true })).toMatchObject({ sessions: [{ sessionId }] });
  const refused = (code: string): unknown =>
    expect.objectContaining({ data: expect.objectContaining({ code }) as unknown });
  await expect(search({ query: '"open' })).rejects.toEqual(refused("INVALID_QUERY"));
  await expect(search({})).rejects.toEqual(refused("INVALID_PARAMS"));
  await expect(search({ query: "x", role: "cook" })).rejects.toEqual(refused("INVALID_PARAMS"));
  await expect(search({ query: "x", since: "soon" })).rejects.toEqual(refused("INVALID_PARAMS"));
  expect(relay.agentNow().heard.filter(([method]) => method.includes("search"))).toEqual([]);
  await relay.close();
});
