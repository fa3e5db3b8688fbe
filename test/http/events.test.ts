import path from "node:path";
import { describe, expect, it } from "vitest";
import { SidecarError } from "../../src/base/errors.ts";
import type { OpenedJournal } from "../../src/session/journal.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { openSqliteStore } from "../../src/store/sql/sqlite/store.ts";
import { scratchFolder } from "../cli/harness.ts";
import { end, prompt, say, talk, written } from "../history/talk.ts";
import { apiOn, type Api } from "./rig.ts";
import { EventReader, type Event } from "./stream.ts";

const folder = scratchFolder();

/** A session that another one writes to, on a connection of its own, as another process does. */
async function writtenElsewhere() {
  const file = path.join(folder, `${performance.now()}.db`);
  const api = await apiOn({ store: await openSqliteStore({ path: file }) });
  const store = await openSqliteStore({ path: file });
  const registry = new SessionRegistry({ store });
  const { id } = await registry.create({ cwd: "/p" });
  const { journal } = await registry.open(id);
  const close = async () => {
    await journal.release();
    await registry.close();
    await store.close();
  };
  return { ...api, id, journal, registry, elsewhere: store, close };
}

const follow = async ({ raw }: Pick<Api, "raw">, id: string, lastId?: string) =>
  new EventReader(
    await raw(
      "GET",
      `/api/sessions/${id}/events`,
      lastId === undefined ? {} : { headers: { "last-event-id": lastId } },
    ),
  );

/** What somebody knows who does as events say. */
function known(events: readonly Event[]): (readonly [number, string | undefined])[] {
  let seqs: (readonly [number, string | undefined])[] = [];
  for (const { event, data } of events) {
    if (event === "sealed") seqs = seqs.filter(([seq]) => seq < data.from);
    if (event === "happening") seqs.push([data.seq, data.content?.[0]?.text]);
  }
  return seqs;
}

async function turn(journal: OpenedJournal["journal"], words: readonly string[]): Promise<void> {
  await journal.append([prompt("Go")]);
  for (const word of words) await journal.append([say(word)]);
}

describe("the events of a session", () => {
  it("are refused before they begin for what is no event's id", async () => {
    const { ask } = await apiOn();
    const { id } = (await ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json;
    const at = `/api/sessions/${id}/events`;
    for (const asking of [{ headers: { "last-event-id": "x" } }, {}])
      expect((await ask("GET", "headers" in asking ? at : `${at}?after=1`, asking)).json).toMatchObject({
        status: 400,
        code: "INVALID_PARAMS",
        detail: "Last-Event-ID, or after, is none of this session's events; leave it out",
      });
  });

  it("come while somebody else writes, each once, and say what is replaced when a turn is sealed", async () => {
    const api = await writtenElsewhere();
    const reader = await follow(api, api.id);
    expect(await reader.next()).toMatchObject({ event: "session", data: { id: api.id } });
    const events: Event[] = [];
    await turn(api.journal, ["one ", "two "]);
    events.push(...(await reader.until(({ data }) => data.seq === 3)));
    expect(known(events)).toEqual([
      [1, "Go"],
      [2, "one "],
      [3, "two "],
    ]);
    await api.journal.seal([end()]);
    events.push(...(await reader.until(({ data }) => data.type === "end")));
    expect(events.filter(({ event }) => event === "sealed")).toMatchObject([
      { data: { from: 1, sealedSeq: 3 } },
    ]);
    expect(known(events)).toEqual([
      [1, "Go"],
      [2, "one two "],
      [3, undefined],
    ]);
    await api.close();
    await reader.close();
  });

  it("come within a quarter of a second", async () => {
    const api = await writtenElsewhere();
    const reader = await follow(api, api.id);
    await reader.next();
    const times: number[] = [];
    for (let each = 0; each < 5; each += 1) {
      const atMs = performance.now();
      await api.journal.append([say(`${each}`)]);
      await reader.until(({ event }) => event === "happening");
      times.push(performance.now() - atMs);
    }
    // Half of them, because others run here, too.
    expect(times.sort((a, b) => a - b)[2]).toBeLessThan(250);
    await reader.close();
    await api.close();
  });

  it("go on behind any event, without a gap and without telling one twice, whatever came between", async () => {
    const api = await writtenElsewhere();
    const reader = await follow(api, api.id);
    await reader.next();
    await turn(api.journal, ["a", "b", "c"]);
    const first = await reader.until(({ data }) => data.seq === 4);
    // Between two streams: the same turn goes on, is sealed, and another begins.
    const stages = [
      () => api.journal.append([say("d")]),
      () => api.journal.seal([end()]),
      () => turn(api.journal, ["x", "y"]),
    ];
    for (const stage of stages) {
      await stage();
      const whole = known(await allOf(api, api.id, undefined));
      for (const [at, { id }] of first.entries()) {
        const had = first.slice(0, at + 1);
        const later = await allOf(api, api.id, id);
        expect(known([...had, ...later])).toEqual(whole);
      }
    }
    await reader.close();
    await api.close();
  });

  it("go on from a page, whenever it was read", async () => {
    const api = await writtenElsewhere();
    await turn(api.journal, ["a", "b"]);
    const { json } = await api.ask("GET", `/api/sessions/${api.id}/history`);
    await api.journal.append([say("c")]);
    expect(known(await allOf(api, api.id, json.follow))).toEqual([[4, "c"]]);
    await api.close();
  });

  it("are told to a slow reader, too, all of them, and hold nobody up", async () => {
    const { owner, ...api } = await apiOn();
    const { id } = await owner.create({ cwd: "/p" });
    const { journal } = await owner.open(id);
    const [slow, quick] = await Promise.all([follow(api, id), follow(api, id)]);
    await quick.next();
    // More than is kept for anybody: the rest stands in the journal.
    const [turns, each] = [12, 1000];
    for (let turn = 0; turn < turns; turn += 1) {
      await journal.append(Array.from({ length: each }, (_, at) => say(`${turn * each + at + 1}`)));
      await quick.until(({ data }) => data.seq === (turn + 1) * each);
    }
    const seqs = known(await slow.until(({ data }) => data.seq === turns * each));
    expect(seqs).toEqual(Array.from({ length: turns * each }, (_, at) => [at + 1, `${at + 1}`]));
    await journal.release();
    await Promise.all([slow.close(), quick.close()]);
  });

  it("are followed by nobody who asks for the head alone", async () => {
    const { raw, ask, feeds } = await apiOn();
    const { id } = (await ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json;
    for (const at of [`/api/sessions/${id}/events`, "/api/events"]) {
      const { status, body } = await raw("HEAD", at);
      expect([status, body]).toEqual([200, null]);
    }
    await expect.poll(() => feeds.followers).toBe(0);
  });

  it("end with the session, and with the right to see it", async () => {
    const { owner, ...api } = await apiOn();
    const { id } = await owner.create({ cwd: "/p" });
    const reader = await follow(api, id);
    await reader.next();
    await owner.delete(id);
    expect(await reader.until(({ event }) => event === "gone")).toHaveLength(1);
    expect(await reader.next()).toBeUndefined();
    expect((await api.raw("GET", `/api/sessions/${id}/events`)).status).toBe(404);
  });

  it("say that the store is away, and go on when it is back", async () => {
    let isAway = false;
    const inner = openMemoryStore();
    const store = wrapStore(inner, {
      get: async (id) => {
        if (isAway) throw new SidecarError("STORE_UNAVAILABLE", "The store is away");
        return inner.get(id);
      },
    });
    const { owner, ...api } = await apiOn({ store });
    const { id } = await owner.create({ cwd: "/p" });
    const reader = await follow(api, id);
    await reader.next();
    isAway = true;
    expect((await reader.next())?.data.code).toBe("STORE_UNAVAILABLE");
    await written(inner, talk());
    isAway = false;
    expect(await reader.next()).toMatchObject({ event: "recovered" });
    await owner.addMessage(id, { role: "user", content: "back" });
    expect(known(await reader.until(({ event }) => event === "happening"))).toEqual([[1, "back"]]);
    await reader.close();
  });

  it("cost one look for all who follow", async () => {
    let looks = 0;
    const inner = openMemoryStore();
    const store = wrapStore(inner, {
      get: async (id) => {
        looks += 1;
        return inner.get(id);
      },
    });
    const { owner, ...api } = await apiOn({ store });
    const { id } = await owner.create({ cwd: "/p" });
    const readers = await Promise.all(Array.from({ length: 50 }, () => follow(api, id)));
    for (const reader of readers) await reader.next();
    looks = 0;
    await owner.addMessage(id, { role: "user", content: "to all" });
    const told = await Promise.all(
      readers.map((reader) => reader.until(({ event }) => event === "happening")),
    );
    expect(told.every((events) => known(events)[0]?.[1] === "to all")).toBe(true);
    expect(looks).toBeLessThan(25);
    expect(api.feeds.followers).toBe(50);
    for (const reader of readers) await reader.close();
    await expect.poll(() => api.feeds.followers).toBe(0);
  });
});

describe("the events of the list", () => {
  it("tell what is made, changes and goes, and go on behind any of them", async () => {
    const { owner, ...api } = await apiOn();
    const reader = new EventReader(await api.raw("GET", "/api/events"));
    const begin = await reader.next();
    expect(begin?.event).toBe("following");
    const { id } = await owner.create({ cwd: "/p", title: "New" });
    const made = await reader.next();
    expect(made).toMatchObject({ event: "session", data: { id, title: "New" } });
    await owner.rename(id, "Other");
    expect((await reader.next())?.data.title).toBe("Other");
    await owner.delete(id);
    expect(await reader.next()).toMatchObject({ event: "gone", data: { id } });
    const again = new EventReader(await api.raw("GET", `/api/events?after=${made?.id}`));
    const rest = await again.until(({ event }) => event === "gone");
    expect(rest.map(({ event }) => event)).toEqual(["session", "gone"]);
    await again.close();
    const lost = new EventReader(await api.raw("GET", "/api/events?after=another.7"));
    expect((await lost.next())?.event).toBe("resync");
    await Promise.all([lost.close(), reader.close()]);
  });
});

/** What a stream tells until it has told all that is there now. */
async function allOf(
  api: Pick<Api, "raw" | "ask">,
  id: string,
  lastId: string | undefined,
): Promise<Event[]> {
  const reader = await follow(api, id, lastId ?? "0.0.");
  const events = await reader.until(({ event }) => event === "session");
  await reader.close();
  return events;
}

it("512 streams are open at once, of sessions and of lists together, and one that ends makes room", async () => {
  const { ask, raw, feeds, tokenFor, owner } = await apiOn();
  const { id } = await owner.create({ cwd: "/work" });
  const token = await tokenFor("read");
  const streams: Response[] = [];
  for (let n = 0; n < 512; n += 1)
    streams.push(await raw("GET", n % 2 === 0 ? "/api/events" : `/api/sessions/${id}/events`, { token }));
  expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200));
  for (const path of ["/api/events", `/api/sessions/${id}/events`])
    expect((await ask("GET", path, { token })).json.code, path).toBe("REQUEST_LIMIT");
  await streams[0]?.body?.cancel();
  const last = await raw("GET", "/api/events", { token });
  expect(last.status).toBe(200);
  for (const { body } of [...streams.slice(1), last]) await body?.cancel();
  expect(feeds.followers).toBe(0);
});
