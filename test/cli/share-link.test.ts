/** `sessions share --link`: an address to read one session by. */
import path from "node:path";
import { expect, it } from "vitest";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openGuarded } from "../../src/store/guarded/open.ts";
import { cli, scratchFolder } from "./harness.ts";

const folder = scratchFolder();

it("prints an address, lists it, ends it, and says what does not go together", async () => {
  const url = `sqlite:${path.join(folder, "s.db")}`;
  const store = await openGuarded(url, { identity: "ann" });
  const { id } = await new SessionRegistry({ store }).create({ cwd: folder });
  await store.close();
  const run = (...args: string[]) => cli([...args, "--store", url, "--identity", "ann"], { env: {} });
  const made = await run("sessions", "share", id, "--link", "--ttl", "2h");
  expect(made.out).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:7433/#token=acps_[\\w-]+&${id}\n$`));
  const json = JSON.parse(
    (await run("sessions", "share", id, "--link", "--at", "https://me.example", "--json")).out,
  ) as Record<string, unknown>;
  expect(json).toMatchObject({
    id,
    link: expect.stringMatching(/^https:\/\/me\.example\/#token=/) as string,
  });
  const listed = await run("sessions", "shares", id);
  expect(listed.out).toContain("ann's, shared with 0 names and by 2 links");
  expect(listed.out).toContain(`link ${String(json["token"])}`);
  expect(listed.out).not.toContain("acps_");
  expect((await run("sessions", "unshare", id, "--link")).out).toBe(`Ended 2 links to ${id}\n`);
  for (const [args, error] of [
    [["share", id, "--link", "--with", "bob"], /--link lets read, whoever has it: no --with/],
    [["share", id, "--link", "--write"], /no --write/],
    [["share", id, "--link", "--at", "me.example"], /--at is "me\.example", which is no address of a server/],
    [["share", id, "--link", "--at", "http://a/?x=1"], /no address of a server/],
    [["share", id, "--link", "--at", "http://a/sub"], /no address of a server, with no path/],
    [["share", id, "--with", "bob", "--at", "http://a"], /it needs --link/],
    [["share", id], /needs --with NAME, with whom it is shared, or --link/],
    [["unshare", id, "--link", "--with", "bob"], /one at a time/],
  ] as const) {
    const { status, err } = await run("sessions", ...args);
    expect([status, err]).toEqual([2, expect.stringMatching(error)]);
  }
});
