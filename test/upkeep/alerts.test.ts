/** Alerts: each says once that it began and once that it is over, whoever looks, also after restarts and kills. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../src/base/log.ts";
import { conditionFrom, type Condition } from "../../src/config/condition.ts";
import type { Config } from "../../src/config/config.ts";
import { SidecarError } from "../../src/base/errors.ts";
import type { SessionId } from "../../src/base/ids.ts";
import { defaults } from "../../src/config/options.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import { sealedWhileRead, sessionNotFound } from "../../src/store/refusals.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { Measures } from "../../src/upkeep/measures.ts";
import { Rounds } from "../../src/upkeep/rounds.ts";
import { cli } from "../cli/harness.ts";
import { end, prompt } from "../history/talk.ts";
import { receiver, type TestReceiver } from "../notify/receiver.ts";
import { replaceBytes } from "../store/sql/sqlite/damage.ts";

const root = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-alerts-"));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

let folder: string;
let number = 0;
beforeEach(() => {
  folder = path.join(root, String((number += 1)));
  fs.mkdirSync(folder);
});

const env = () => ({
  HOME: folder,
  XDG_STATE_HOME: path.join(folder, "state"),
  XDG_CACHE_HOME: path.join(folder, "cache"),
});

function configOf(to: TestReceiver, ...when: readonly string[]): Config {
  const alerts = when.map((each) => ({ when: each, post: to.url, timeoutMs: 5000 }));
  return { ...defaults, store: `sqlite:${path.join(folder, "sessions.db")}`, alerts };
}

/** One process looks, from its start to its end. */
async function look(config: Config) {
  const store = await openStore(config.store);
  const registry = new SessionRegistry({ store });
  const rounds = new Rounds({ config, registry, store, log: silentLogger, env: env() });
  try {
    return await rounds.alerts();
  } finally {
    await rounds.close(5000);
    await registry.close();
    await store.close();
  }
}

async function failingTurn(config: Config): Promise<void> {
  await using store = await openStore(config.store);
  const registry = new SessionRegistry({ store });
  const { id } = await registry.create({ cwd: "/work" });
  const { journal } = await registry.open(id);
  const now = (entry: ReturnType<typeof end>) => ({ ...entry, atMs: Date.now() });
  await journal.seal([now(prompt("marked")), now(end({ error: { code: -1, message: "marked" } }))]);
  await journal.release();
  await registry.close();
}

const events = (to: TestReceiver) => to.got.map(({ body }) => [body["event"], body["when"]]);

describe("an alert", () => {
  it("is told once when it begins, and once when it is over, across processes; of what was said it says nothing", async () => {
    await using to = await receiver();
    const config = configOf(
      to,
      "sessions.failed > 0/h",
      "disk.free < 1KiB",
      "store.sessions > 1",
      "fsync.p99 < 1h",
    );
    await look(config);
    expect(events(to)).toEqual([["alert.began", "fsync.p99 < 1h"]]);
    await failingTurn(config);
    const found = await look(config);
    await look(config);
    expect(found?.map(({ holds }) => holds)).toEqual([true, false, false, true]);
    expect(events(to).slice(1)).toEqual([["alert.began", "sessions.failed > 0/h"]]);
    const other = configOf(to, "sessions.failed > 1/h");
    await look({ ...config, alerts: [...(config.alerts ?? []), ...(other.alerts ?? [])] });
    expect(to.got).toHaveLength(2);
    await using store = await openStore(config.store);
    await new SessionRegistry({ store }).clear();
    await look(config);
    await look(config);
    expect(events(to).slice(2)).toEqual([["alert.ended", "sessions.failed > 0/h"]]);
    expect(to.got[2]?.body).toMatchObject({ measured: 0, since: to.got[1]?.body["since"] });
    expect(JSON.stringify(to.got)).not.toContain("marked");
  });

  it("is told of a damaged store, and of one that cannot be opened, which ends no other alert", async () => {
    await using to = await receiver();
    const config = configOf(to, "store.corrupt", "store.down");
    await failingTurn(config);
    const file = path.join(folder, "sessions.db");
    expect(replaceBytes(file, '"prompt":[', '"prompt"=[')).toBeGreaterThan(0);
    await look(config);
    expect(events(to)).toEqual([["alert.began", "store.corrupt"]]);
    fs.renameSync(file, `${file}.away`);
    fs.mkdirSync(file);
    const written = path.join(folder, "config.json");
    fs.writeFileSync(
      written,
      JSON.stringify({
        store: config.store,
        alerts: config.alerts?.map(({ when, post }) => ({ when, post })),
      }),
    );
    const { status, err } = await cli(["upkeep", "--config", written], { env: env() });
    expect([status, err]).toEqual([5, expect.stringContaining("acp-sidecar: ")]);
    expect(events(to).slice(1)).toEqual([["alert.began", "store.down"]]);
    fs.rmdirSync(file);
    fs.renameSync(`${file}.away`, file);
    await look(config);
    expect(events(to).slice(2)).toEqual([["alert.ended", "store.down"]]);
  });

  it("is told of failed turns whatever becomes of other sessions meanwhile", async () => {
    await using to = await receiver();
    const config = configOf(to, "sessions.failed > 0/h");
    for (let turn = 0; turn < 4; turn += 1) await failingTurn(config);
    await using inner = await openStore(config.store);
    const refusals = [
      () => new SidecarError("STORE_CORRUPT", "damaged"),
      (id: SessionId) => sessionNotFound(id),
      (id: SessionId) => sealedWhileRead(id),
    ];
    const store = wrapStore(inner, {
      read: async function* (id, range) {
        const refusal = refusals.shift();
        if (refusal !== undefined) throw refusal(id);
        yield* inner.read(id, range);
      },
    });
    const condition = conditionFrom("sessions.failed > 0/h") as Condition;
    const measures = new Measures({ config, store, env: env(), syncMs: [] }, [condition]);
    expect(await measures.of(condition)).toEqual({ value: 2 });
  });

  it("that was about to be told by a process that was killed is told by the next, with its id", async () => {
    await using to = await receiver();
    const config = configOf(to, "fsync.p99 < 1h");
    await look(config);
    const states = path.join(folder, "state", "acp-sidecar", "alerts");
    const [name = ""] = fs.readdirSync(states).filter((each) => each.endsWith(".json"));
    const file = path.join(states, name);
    const state = JSON.parse(fs.readFileSync(file, "utf8")) as Record<string, unknown>;
    const [key] = Object.keys(state["sinceMs"] as object);
    const owed = [{ id: to.got[0]?.body["id"], key, news: { event: "alert.began", when: "fsync.p99 < 1h" } }];
    fs.writeFileSync(file, JSON.stringify({ ...state, owed }));
    await look(config);
    await look(config);
    expect(to.got.map(({ body }) => body["id"])).toEqual([owed[0]?.id, owed[0]?.id]);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  });

  it("is looked at by one process at a time, and no more often than is due", async () => {
    await using to = await receiver();
    const config = { ...configOf(to, "fsync.p99 < 1h"), upkeepIntervalMs: 3_600_000 };
    await Promise.all([look(config), look(config), look(config)]);
    expect(to.got).toHaveLength(1);
    await using store = await openStore(config.store);
    const registry = new SessionRegistry({ store });
    const rounds = new Rounds({ config, registry, store, log: silentLogger, env: env() });
    expect(await rounds.alerts(3_600_000)).toBeUndefined();
    expect(await rounds.alerts()).toHaveLength(1);
    await rounds.close(1000);
    await registry.close();
  });
});
