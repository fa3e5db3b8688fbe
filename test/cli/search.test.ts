import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { SessionId } from "../../src/base/ids.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openSqliteStore } from "../../src/store/sql/sqlite/store.ts";
import { cli, scratchFolder } from "./harness.ts";

const folder = scratchFolder();
const url = `sqlite:${path.join(folder, "sessions.db")}`;
const env = { HOME: folder, XDG_CACHE_HOME: path.join(folder, "cache"), ACP_SIDECAR_STORE: url };
let first: SessionId;
let second: SessionId;

beforeAll(async () => {
  await using store = await openSqliteStore({ path: url.slice("sqlite:".length) });
  await using registry = new SessionRegistry({ store });
  first = (await registry.create({ cwd: folder, title: "The parser" })).id;
  await registry.addMessage(first, { role: "user", content: "Why does parseHTTPHeader fail on café?" });
  await registry.addMessage(first, {
    role: "assistant",
    content: "Because \u001b[31mred\u001b[0m header bytes are cut.",
  });
  second = (await registry.create({ cwd: "/elsewhere", title: "Hostile\u001b]0;title\u0007" })).id;
  await registry.addMessage(second, { role: "user", content: "a header of another kind" });
});

const search = (...words: string[]) => cli(["search", ...words], { env });

describe("search", () => {
  it("shows sessions, the newest first, each hit with its address and a line of it", async () => {
    const { status, out, err } = await search("header");
    expect([status, err]).toEqual([0, ""]);
    expect(out.split("\n")).toEqual([
      "Hostile\\u001b]0;title\\u0007  just now, /elsewhere",
      `  ${second}:1  user, just now`,
      "    a header of another kind",
      "",
      "The parser  just now, ~",
      `  ${first}:2  assistant, just now`,
      "    Because \\u001b[31mred\\u001b[0m header bytes are cut.",
      `  ${first}:1  user, just now`,
      "    Why does parseHTTPHeader fail on café?",
      "",
    ]);
  });

  it("marks the words on a terminal, and lets no text rule it", async () => {
    const { out } = await cli(["search", "red", "header", "--color", "always"], { env, columns: 80 });
    expect(out).toContain("\\u001b[31m\u001b[1mred\u001b[22m\\u001b[0m \u001b[1mheader\u001b[22m bytes");
  });

  it("finds by filters, and says where nothing is found", async () => {
    expect((await search("header", "--cwd", "/elsewhere")).out).toContain(`${second}:1`);
    expect((await search("header", "--cwd", "/elsewhere")).out).not.toContain(first);
    expect((await search("CAFE")).out).toContain(`${first}:1`);
    expect((await search("header", "--role", "assistant", "--in", first.slice(-6))).out).toContain(
      `${first}:2`,
    );
    expect(await search("header", "--since", "2000-01-01", "--until", "2001-01-01")).toMatchObject({
      status: 1,
      out: "Nothing was found.\n",
      err: "",
    });
  });

  it("takes a query that begins with a dash behind --", async () => {
    expect((await search("--", "-another", "header")).out).toContain(`${first}:2`);
    expect((await search("--limit", "1", "header", "--", "-another")).out).not.toContain(second);
    expect((await search("--", "--nothing")).status).toBe(2);
  });

  it("leaves out archived sessions, unless they are asked for or named", async () => {
    const of = async (verb: string) =>
      expect((await cli(["sessions", verb, second], { env })).status).toBe(0);
    await of("archive");
    expect((await search("header")).out).not.toContain(second);
    expect((await search("header", "--archived")).out).toContain(`${second}:1`);
    expect((await search("header", "--in", second)).out).toContain(`${second}:1`);
    await of("unarchive");
    expect((await search("header", "--limit", "1")).out).toContain(`${second}:1`);
  });

  it("prints JSON for programs", async () => {
    const { out } = await search("header", "--json", "--limit", "1");
    expect(JSON.parse(out)).toMatchObject({
      sessions: [
        {
          id: second,
          cwd: "/elsewhere",
          hits: [{ address: `${second}:1`, seq: 1, role: "user", text: "a header of another kind" }],
        },
      ],
      isMore: true,
      unread: [],
    });
  });

  it.each([
    [['say "'], "acp-sidecar: The search cannot be understood: a phrase begins and does not end"],
    [["header", "--role", "cook"], 'acp-sidecar: --role is "cook"; allowed: user'],
    [["header", "--limit", "none"], "acp-sidecar: --limit is"],
    [["header", "--since", "soon"], "acp-sidecar: --since is"],
    [["header", "--in", "NOSUCH"], "acp-sidecar: No session"],
    [[], "acp-sidecar: "],
  ])("%j is one line that says why", async (words, why) => {
    const { status, out, err } = await search(...words);
    expect([status === 0, out]).toEqual([false, ""]);
    expect(err).toContain(why);
    expect(err.trimEnd()).not.toContain("\n");
  });

  it("finds nothing where no store is yet", async () => {
    const empty = { HOME: scratchFolder() };
    expect(await cli(["search", "header"], { env: empty })).toMatchObject({ status: 1, err: "" });
  });
});
