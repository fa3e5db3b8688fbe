import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { SessionRecord, Store } from "../../src/store/contract.ts";
import { openStore } from "../../src/store/open.ts";
import { talk, written } from "../history/talk.ts";
import { cli, scratchFolder } from "./harness.ts";

const url = `sqlite:${path.join(scratchFolder(), "sessions.db")}`;
let store: Store;
let registry: SessionRegistry;
let root: SessionRecord;

const run = (...argv: string[]) => cli([...argv, "--store", url]);

beforeAll(async () => {
  store = await openStore(url);
  registry = new SessionRegistry({ store });
  root = await written(store, talk(), { title: "Root" });
  await store.flush();
});
afterAll(async () => {
  await registry.close();
  await store.close();
});

/** As the list tells it. */
async function turns(): Promise<number> {
  const { out } = await run("sessions", "ls", "--cwd", root.cwd);
  return Number(/ +(\d+)  idle /.exec(out)?.[1]);
}

it("sessions rewind goes back, says what it did, and is undone", async () => {
  const before = await turns();
  const at = `${root.id}:1`;
  expect(await run("sessions", "rewind", at)).toMatchObject({ status: 2 });
  expect(await cli(["sessions", "rewind", at, "--store", url], { typed: "n\n" })).toMatchObject({
    status: 1,
  });
  const { status, out } = await run("sessions", "rewind", at, "--yes");
  expect([status, out]).toEqual([
    0,
    expect.stringMatching(/is at entry 1 again: [0-9]+ turns? kept[^]*--undo\n$/),
  ]);
  expect(await registry.superseded(root.id)).toHaveLength(1);
  expect([before > 1, await turns()]).toEqual([true, 1]);
  expect(await run("sessions", "rewind", root.id, "--yes")).toMatchObject({ status: 2 });
  expect(await run("sessions", "rewind", `${root.id}:9999`, "--yes")).toMatchObject({ status: 2 });
  expect(
    JSON.parse((await run("sessions", "rewind", root.id, "--undo", "--yes", "--json")).out),
  ).toMatchObject({
    id: root.id,
    toSeq: root.headSeq,
  });
});

it("sessions rewind ID:0 goes back to before the first prompt", async () => {
  const { status, out } = await run("sessions", "rewind", `${root.id}:0`, "--yes");
  expect([status, out]).toEqual([0, expect.stringContaining("is at entry 0 again")]);
  expect(await registry.superseded(root.id)).toMatchObject([{ from: 1 }]);
  expect(await run("sessions", "rewind", `${root.id}:0`, "--undo", "--yes")).toMatchObject({ status: 2 });
  expect(await run("sessions", "rewind", root.id, "--undo", "--yes")).toMatchObject({ status: 0 });
});

it("sessions fork begins a session at an entry", async () => {
  const { id, atSeq } = JSON.parse((await run("sessions", "fork", `${root.id}:4`, "--json")).out) as {
    id: SessionRecord["id"];
    atSeq: number;
  };
  expect(atSeq).toBe(4);
  expect((await registry.get(id)).lineage).toEqual({ parentId: root.id, atSeq: 4 });
});
