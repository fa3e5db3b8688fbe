/**
 * What the limit on messages lets in, a store takes: entries of 60 MiB, appended, sealed and read.
 * @module-tag long
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { Store } from "../../../src/store/contract.ts";
import { openPostgresStore } from "../../../src/store/sql/postgres/store.ts";
import { openSqliteStore } from "../../../src/store/sql/sqlite/store.ts";
import { anEntry, aSession, entriesOf, leaseOf } from "../../conformance/samples.ts";
import { postgresSandbox } from "./postgres/sandbox.ts";
import { describeServer } from "../servers.ts";

const patienceMs = 180_000;

/** Full of what is escaped on the way: quotes, backslashes, line ends; and of letters of two and four bytes. */
const line = 'const é = "🚂\\n";\n';
const large = anEntry(line.repeat(Math.floor((60 << 20) / Buffer.byteLength(JSON.stringify(line)))));

async function takesLargeEntries(store: Store): Promise<void> {
  const { id } = await store.create(aSession());
  const lease = await leaseOf(store, id);
  expect(await store.append(id, 0, [anEntry("first"), large, anEntry("last")], lease)).toBe(3);
  // The seal begins in the middle of what was appended at once.
  expect(await store.seal(id, { from: 3, head: 3 }, [large, anEntry("end")], lease)).toBe(4);
  const found = (await entriesOf(store, id)).map(({ data }) => data);
  const wanted = [anEntry("first"), large, large, anEntry("end")].map(({ data }) => data);
  // Compared one by one: nobody wants to see them side by side.
  expect(found.map((data, at) => data === wanted[at])).toEqual([true, true, true, true]);
  expect(await store.append(id, 4, [anEntry("more")], lease)).toBe(5);
  expect((await leaseOf(store, id)).fence).toBeGreaterThan(lease.fence);
}

it(
  "SQLite takes entries of 60 MiB",
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "acp-sidecar-large-"));
    const store = await openSqliteStore({ path: join(directory, "store.db") });
    try {
      await takesLargeEntries(store);
    } finally {
      await store.close();
      rmSync(directory, { recursive: true });
    }
  },
  patienceMs,
);

describeServer("TEST_POSTGRES_URL", 5432, (url) => {
  const sandbox = postgresSandbox(url);
  afterAll(sandbox.close);
  it(
    "PostgreSQL takes entries of 60 MiB",
    async () => {
      const store = await openPostgresStore({ url: sandbox.url });
      try {
        await takesLargeEntries(store);
      } finally {
        await store.close();
      }
    },
    patienceMs,
  );
});
