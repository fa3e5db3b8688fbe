/** One session that other hands have changed costs an encrypted store that one, and no command about the others. */
import fs from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { SessionId } from "../../src/base/ids.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { SessionPatch } from "../../src/store/contract.ts";
import { loadEngine } from "../../src/sqlite/engines.ts";
import { openStore } from "../../src/store/open.ts";
import { openStoreWith } from "../../src/store/open-encrypted.ts";
import { redisSandbox } from "../store/redis/sandbox.ts";
import { describeServer } from "../store/servers.ts";
import { postgresSandbox } from "../store/sql/postgres/sandbox.ts";
import { cli, scratchFolder } from "./harness.ts";

const folder = scratchFolder();
const encryptionKey = `file:${join(folder, "key")}`;
fs.writeFileSync(join(folder, "key"), `${Buffer.alloc(32, 7).toString("base64")}\n`, { mode: 0o600 });

/** Three sessions and a fork of the second one, which is the one that is changed. */
async function aStore(url: string, wrong: SessionPatch = { title: "plain" }) {
  const ids: SessionId[] = [];
  await using store = await openStoreWith(url, { encryptionKey });
  await using registry = new SessionRegistry({ store });
  for (const name of ["amber", "basalt", "cobalt"]) {
    const { id } = await registry.create({ cwd: process.cwd(), title: name });
    await registry.addMessage(id, { role: "user", content: [{ type: "text", text: `${name} words` }] });
    ids.push(id);
  }
  const [first, bad, last] = ids as [SessionId, SessionId, SessionId];
  const fork = (await registry.fork(bad)).id;
  await registry.rename(fork, "forked");
  await using inside = await openStore(url);
  await inside.update(bad, wrong);
  const options = ["--store", url, "--encryption-key", encryptionKey];
  return { first, bad, last, fork, run: (...words: string[]) => cli([...words, ...options]) };
}

function leftOut(id: SessionId): unknown {
  return expect.stringMatching(
    new RegExp(
      `^acp-sidecar: left out, .*: ${id} \\(DECRYPT_FAILED\\); acp-sidecar verify .* sessions rm ID --force .*\\n$`,
    ),
  );
}

/** @param place an empty store, anew for each test */
function onStore(name: string, place: () => Promise<string> | string, isFirst = false): void {
  // What no medium does otherwise is tested on one.
  const once = isFirst ? it : () => undefined;
  describe(`a session of ${name} that cannot be decrypted`, () => {
    let url = "";
    beforeEach(async () => {
      url = await place();
    });

    it("is left out of what looks through all, told in one line, and makes it a failure", async () => {
      const { bad, first, last, fork, run } = await aStore(url);
      const told = { status: 5, err: leftOut(bad) };
      const list = await run("sessions", "ls", "--json");
      expect(list).toMatchObject(told);
      expect(JSON.parse(list.out)).toMatchObject({
        sessions: [{ id: fork }, { id: last }, { id: first }],
        total: 3,
        unreadable: [{ id: bad, code: "DECRYPT_FAILED" }],
      });
      for (const words of [
        ["sessions", "ls"],
        ["sessions", "ls", "--title", "a"],
        ["sessions", "ls", "--jsonl"],
      ])
        expect(await run(...words), words.join(" ")).toMatchObject(told);
      const found = await run("search", "words");
      expect(found).toMatchObject(told);
      expect(["amber", "basalt", "cobalt"].map((each) => found.out.includes(`${each} words`))).toEqual([
        true,
        // The fork has it, too.
        true,
        true,
      ]);
      expect(await run("search", "nowhere")).toMatchObject({ ...told, out: "Nothing was found.\n" });
      expect(await run("usage")).toMatchObject(told);
      const tree = await run("sessions", "tree");
      expect(tree).toMatchObject(told);
      expect(tree.out).toMatch(new RegExp(`${bad}  \\(cannot be read\\)\n└─ ${fork}`));
      const out = fs.mkdtempSync(join(folder, "out-"));
      expect(await run("export", "--all", "--out", out)).toMatchObject(told);
      expect(fs.readdirSync(out)).toHaveLength(3);
      expect(await run("sessions", "gc", "--older-than", "1h", "--yes")).toMatchObject({
        status: 0,
        err: "",
      });
    });

    once("costs commands about others nothing, and is named by its own", async () => {
      const { bad, first, last, run } = await aStore(url);
      const well = { status: 0, err: "" };
      expect(await run("sessions", "archive", last)).toMatchObject(well);
      expect(await run("sessions", "rename", last.slice(-8), "again")).toMatchObject(well);
      expect(await run("sessions", "rm", first, "--yes")).toMatchObject(well);
      expect(await run("export", last)).toMatchObject(well);
      for (const words of [["sessions", "show"], ["sessions", "archive"], ["export"], ["sessions", "rename"]])
        expect(
          await run(...words, bad, ...(words[1] === "rename" ? ["x"] : [])),
          words.join(" "),
        ).toMatchObject({
          status: 5,
          err: expect.stringContaining(`Session ${bad} cannot be decrypted`) as string,
        });
      expect(await run("sessions", "show", bad.slice(-8))).toMatchObject({ status: 5 });
    });

    it("is removed as it lies there, by force and after a question; its forks stay", async () => {
      const { bad, fork, run } = await aStore(url);
      const refused = await run("sessions", "rm", bad, "--yes");
      expect(refused.status).toBe(5);
      expect(refused.err).toContain(`sessions rm ${bad} --force deletes it for good`);
      const shown = await run("sessions", "rm", bad, "--force", "--dry-run");
      expect(shown).toMatchObject({
        status: 0,
        out: `${bad} (cannot be read)\n1 session would go for good\n`,
      });
      const removed = await run("sessions", "rm", bad, "--force", "--yes", "--json");
      expect(removed).toMatchObject({ status: 0, err: "" });
      expect(JSON.parse(removed.out)).toMatchObject({ trashed: [], deleted: [bad], failed: [] });
      expect(await run("sessions", "ls")).toMatchObject({ status: 0, err: "" });
      expect((await run("export", fork)).out).toContain("basalt words");
      expect(await run("verify")).toMatchObject({ status: 0 });
    });

    it("is mended where it was: what was changed is lost and named, all else is kept", async () => {
      const { bad, run } = await aStore(url, { title: "plain", settings: {}, agentSessionIds: ["plain"] });
      const before = await run("verify");
      expect(before).toMatchObject({ status: 5 });
      expect(before.out).toContain(`Session ${bad} cannot be decrypted`);
      const mended = await run("verify", "--repair");
      expect(mended).toMatchObject({ status: 0, err: "" });
      expect(mended.out).toMatch(
        new RegExp(`${bad}.* is lost: title, settings, agentSessionIds; all else is kept`),
      );
      expect((await run("sessions", "show", bad)).out).toContain("basalt words");
      expect(await run("sessions", "ls")).toMatchObject({ status: 0, err: "" });
    });

    once("is never given other marks: without its metadata or its folder it stays refused", async () => {
      for (const wrong of [{ metadata: { plain: true } }, { cwd: "/plain" }]) {
        const { bad, run } = await aStore(url, wrong);
        expect(await run("verify", "--repair")).toMatchObject({ status: 5 });
        expect((await run("sessions", "show", bad)).status).toBe(5);
        url = await place();
      }
    });
  });
}

let count = 0;
onStore("SQLite", () => `sqlite:${join(folder, `${(count += 1)}.db`)}`, true);
onStore("files", () => `file:${join(folder, `${(count += 1)}`)}`);
describeServer("TEST_POSTGRES_URL", 5432, (server) => {
  const sandbox = postgresSandbox(server);
  onStore("PostgreSQL", async () => {
    await sandbox.empty();
    return sandbox.url;
  });
});
describeServer("TEST_REDIS_URL", 6379, (server) => {
  const sandbox = redisSandbox(server);
  onStore("Redis", async () => {
    await sandbox.empty();
    return sandbox.url;
  });
});

describe("a session whose medium is damaged, in a store that is plain", () => {
  const damaged = {
    files: (at: string, id: SessionId) => {
      const [journal = ""] = fs
        .readdirSync(at, { recursive: true, encoding: "utf8" })
        .filter((name) => name.includes(id) && fs.statSync(join(at, name)).isFile());
      fs.writeFileSync(join(at, journal), "damaged\n");
    },
    SQLite: async (at: string, id: SessionId) => {
      const database = (await loadEngine()).open(at);
      database.exec(`UPDATE records SET facts = '{' WHERE no = (SELECT no FROM sessions WHERE id = '${id}')`);
      database.close();
    },
  };

  it.each(["files", "SQLite"] as const)("of %s is left out and named", async (kind) => {
    const at = join(folder, `damaged-${kind}`);
    const url = `${kind === "files" ? "file" : "sqlite"}:${at}`;
    const store = await openStore(url);
    const registry = new SessionRegistry({ store });
    const [{ id: good }, { id: bad }] = [
      await registry.create({ cwd: "/", title: "good" }),
      await registry.create({ cwd: "/", title: "bad" }),
    ];
    await registry.close();
    await store.close();
    await damaged[kind](at, bad);
    const list = await cli(["sessions", "ls", "--json", "--store", url]);
    expect(list).toMatchObject({
      status: 5,
      err: expect.stringContaining(`${bad} (STORE_CORRUPT)`) as string,
    });
    expect(JSON.parse(list.out)).toMatchObject({
      sessions: [{ id: good }],
      unreadable: [{ id: bad, code: "STORE_CORRUPT" }],
    });
  });
});
