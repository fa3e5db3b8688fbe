/** What is found on the server is fetched as it is asked for: a word that a huge session is full of costs a search no more. */
import pg from "pg";
import { afterAll, expect, it } from "vitest";
import { openPostgresStore } from "../../../src/store/sql/postgres/store.ts";
import { describeServer } from "../../store/servers.ts";
import { postgresSandbox } from "../../store/sql/postgres/sandbox.ts";
import { asks, rigOn, says } from "./rig.ts";

describeServer("TEST_POSTGRES_URL", 5432, (server) => {
  const sandbox = postgresSandbox(server);
  const { url } = sandbox;
  afterAll(sandbox.close);

  it("hands over the matches of a huge session as they are asked for, the newest first", async () => {
    const counting = countingPg();
    const store = await openPostgresStore({ url, ...counting });
    const { session, found, searcher, close } = rigOn(store);
    const texts = Array.from({ length: 3000 }, (_, n) => says(`elm ${n === 10 ? "rare" : "often"}`));
    const id = await session([asks("elm"), ...texts]);
    await searcher.catchUp();

    counting.rows = 0;
    expect(await found("elm")).toEqual([3001, 3000, 2999].map((seq) => `${id}:${seq}`));
    expect(counting.rows).toBeLessThan(300);
    expect(await found("rare elm")).toEqual([`${id}:12`]);

    const index = (await store.textIndex())!;
    const seqs: number[] = [];
    for await (const candidate of index.candidates({
      wanted: { word: "elm", isPrefix: false },
      unwanted: [],
    }))
      for await (const seq of candidate.seqs) seqs.push(seq);
    expect(seqs).toEqual(Array.from({ length: 3001 }, (_, n) => 3001 - n));
    await close();
    await store.close();
  });
});

/** `pg`, which counts the rows that the server has sent. */
function countingPg() {
  const counting = { rows: 0, loadDriver: async () => ({ Pool: CountingPool }) };
  class CountingClient extends pg.Client {
    override async query(...given: unknown[]): Promise<never> {
      const result = await (super.query as (...all: unknown[]) => Promise<pg.QueryResult>)(...given);
      counting.rows += result.rows?.length ?? 0;
      return result as never;
    }
  }
  class CountingPool extends pg.Pool {
    constructor(config: pg.PoolConfig) {
      super({ ...config, Client: CountingClient });
    }
  }
  return counting;
}
