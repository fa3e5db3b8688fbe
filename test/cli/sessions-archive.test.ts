import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import { cli, scratchFolder } from "./harness.ts";

const folder = scratchFolder();

async function madeStore(name: string) {
  const url = `file:${join(folder, name)}`;
  const store = await openStore(url);
  const registry = new SessionRegistry({ store });
  const ids: string[] = [];
  for (const title of ["first", "second"]) {
    const { id } = await registry.create({ cwd: process.cwd(), title });
    const text = "a line of text that is said again and again\n".repeat(2000);
    await registry.addMessage(id, { role: "user", content: [{ type: "text", text }] });
    ids.push(id);
  }
  await store.close();
  return { url, ids };
}

describe("sessions archive, unarchive and rename", () => {
  it("put a session away, say what it gave back, list it apart, and bring it back", async () => {
    const { url, ids } = await madeStore("whole");
    const [first = ""] = ids;
    const at = ["--store", url];
    const put = await cli(["sessions", "archive", first, ...at, "--json"]);
    expect(put).toMatchObject({ status: 0, err: "" });
    const { archived, freedBytes } = JSON.parse(put.out) as { archived: string[]; freedBytes: number };
    expect(archived).toEqual([first]);
    expect(freedBytes).toBeGreaterThan(60_000);
    expect((await cli(["sessions", "ls", ...at])).out).not.toContain("first");
    expect((await cli(["sessions", "ls", "--archived", ...at])).out).toMatch(/first/);
    expect((await cli(["sessions", "show", first, ...at, "--no-pager"])).out).toContain("said again");
    expect((await cli(["sessions", "show", "last", ...at, "--no-pager"])).out).toContain("second");
    expect(await cli(["sessions", "unarchive", first, ...at])).toMatchObject({
      status: 0,
      out: "Brought back 1 session\n",
    });
    expect((await cli(["sessions", "ls", ...at])).out).toContain("first");
  });

  it("say of what is so already that it is", async () => {
    const { url, ids } = await madeStore("again");
    const [first = "", second = ""] = ids;
    const at = ["--store", url];
    await cli(["sessions", "archive", first, ...at]);
    const again = await cli(["sessions", "archive", first, second, second, ...at]);
    expect(again).toMatchObject({ status: 0, err: "" });
    expect(again.out).toMatch(/^Archived 1 session, .* given back\n/);
    expect(again.out).toContain(`${first} is archived already\n`);
    await cli(["sessions", "unarchive", second, ...at]);
    const back = await cli(["sessions", "unarchive", second, ...at]);
    expect(back).toMatchObject({ status: 0, err: "", out: `${second} is not archived\n` });
  });

  it("say of each that is not there why, and do the others", async () => {
    const { url, ids } = await madeStore("some");
    const ran = await cli(["sessions", "archive", "NOWHERE1", ids[1] ?? "", "--store", url]);
    expect(ran.status).not.toBe(0);
    expect(ran.err).toContain("NOWHERE1");
    expect(ran.out).toContain("Archived 1 session");
    const again = await cli(["sessions", "unarchive", "NOWHERE1", "--json", "--store", url]);
    const failed = [{ session: "NOWHERE1", code: "SESSION_NOT_FOUND" }];
    expect(JSON.parse(again.out)).toMatchObject({ unarchived: [], failed });
  });

  it("give another title, of several words, shown without control characters", async () => {
    const { url, ids } = await madeStore("titles");
    const [first = ""] = ids;
    const ran = await cli(["sessions", "rename", first, "a", "new\u001b[31m", "name", "--store", url]);
    expect(ran).toMatchObject({ status: 0, err: "" });
    expect(ran.out).not.toContain("\u001b");
    expect((await cli(["sessions", "ls", "--title", "a new", "--store", url])).out).toContain("name");
    expect((await cli(["sessions", "rename", first, " ", "--store", url])).err).toContain(
      "must not be empty",
    );
    const long = await cli(["sessions", "rename", first, "x".repeat(1001), "--store", url]);
    expect(long).toMatchObject({ status: 2, err: expect.stringContaining("at most 1000") as string });
  });
});
