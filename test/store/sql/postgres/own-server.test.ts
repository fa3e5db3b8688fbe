import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { openPostgresStore } from "../../../../src/store/sql/postgres/store.ts";
import { aJournal, entriesOf, rejectsWith, someEntries } from "../../../conformance/samples.ts";
import { postgresPrograms, startPostgres, type PostgresServer } from "./server.ts";
import { password, refusalOf } from "../../refusals.ts";

// Needs the programs of a server; in CI they must be there.
describe.skipIf(postgresPrograms === undefined && process.env["CI"] !== "true")(
  "a PostgreSQL of our own",
  () => {
    it("tells a wrong password apart from a server that is away, and damage from what is sound", async () => {
      const server = await startPostgres(postgresPrograms ?? "", "right");
      const urlWith = (word: string) => `postgres://postgres:${word}@127.0.0.1:${server.port}/postgres`;
      try {
        const { code, message } = await refusalOf(openPostgresStore({ url: urlWith(password) }));
        expect([code, message]).toEqual(["STORE_UNAVAILABLE", expect.stringContaining("user or password")]);

        const before = await openPostgresStore({ url: urlWith("right") });
        const { id, lease } = await aJournal(before, 3);
        await before.close();
        await damageBlocks(server, urlWith("right"));
        const store = await openPostgresStore({ url: urlWith("right") });
        await expect(entriesOf(store, id)).rejects.toMatchObject({
          code: "STORE_CORRUPT",
          message: expect.stringMatching(
            /^[^\n]* reports damage \(XX001\); see the server's log[^\n]*$/,
          ) as string,
        });
        expect((await store.list()).items.map((each) => each.id)).toEqual([id]);
        await rejectsWith("STORE_CORRUPT", store.append(id, 3, someEntries(1, 4), lease));
        expect((await store.get(id))?.headSeq).toBe(3);
        await store.close();
      } finally {
        await server.remove();
      }
    });
  },
);

/** A byte changes in the page that the entries are in. */
async function damageBlocks(server: PostgresServer, url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<{ path: string }>(
    "SELECT pg_relation_filepath('acp_sidecar.blocks') AS path",
  );
  await client.end();
  await server.stop();
  const file = join(server.directory, rows[0]?.path ?? "");
  const page = readFileSync(file);
  page[8000] = (page[8000] ?? 0) ^ 1;
  writeFileSync(file, page);
  await server.start();
}
