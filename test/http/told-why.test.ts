import { expect, it } from "vitest";
import { apiOn } from "./rig.ts";

it("says what is wrong with a request, and what would be right", async () => {
  const { ask } = await apiOn();
  const { id } = (await ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json;
  const at = `/api/sessions/${id}`;
  const said = async (method: string, path: string, body?: unknown) => {
    const { status, json } = await ask(method, path, body === undefined ? {} : { body });
    expect({ status, code: json.code }, path).toEqual({ status: 400, code: "INVALID_PARAMS" });
    return json.detail;
  };
  expect(await said("POST", "/api/sessions", { cwd: 5 })).toBe("body.cwd must be a string");
  expect(await said("POST", "/api/sessions", [])).toBe("body must be an object");
  expect(await said("POST", "/api/sessions", { cwd: "/p", title: "" })).toBe(
    "body.title must have at least 1 character",
  );
  expect(await said("PATCH", at, { archived: "yes" })).toBe("body.archived must be true or false");
  expect(await said("PATCH", at, { [`a\n${"b".repeat(200)}`]: 1 })).toMatch(
    /^body has no "a\\nb{60,80}…; \/api\/openapi\.json says what there is$/,
  );
  expect(await said("GET", "/api/sessions?limt=3")).toMatch(/^query has no "limt"; /);
  expect(await said("GET", "/api/sessions?limit=abc")).toBe("query.limit must be a number");
  expect(await said("GET", "/api/sessions?limit=1.5")).toBe("query.limit must be a whole number");
  expect(await said("GET", "/api/sessions?limit=100000")).toBe("query.limit must be at most 1000");
  expect(await said("GET", "/api/sessions?archived=true")).toBe(
    'query.archived must be "exclude" or "include" or "only"',
  );
  expect(await said("GET", "/api/sessions?parent=x")).toBe("query.parent must be a session's id");
  expect(await said("GET", `${at}/history?include=all`)).toMatch(/must be of thoughts, .*, with commas/);
  expect(await said("GET", "/api/search")).toBe("query.q must be a string");
  expect(await said("POST", `${at}/messages`, { role: "user" })).toBe(
    "body.content must be a string, or must be an array",
  );
  expect(await said("POST", `${at}/prompt`, { content: "x" })).toMatch(/^body\.prompt must be /);
  expect(await said("POST", `${at}/rewind`, {})).toMatch(/^body toSeq must be a number, or /);
});
