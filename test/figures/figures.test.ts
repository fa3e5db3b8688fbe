import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { Meter, noMeter } from "../../src/base/meter.ts";
import { cacheCounters } from "../../src/figures/cache-counters.ts";
import { exposition } from "../../src/figures/exposition.ts";
import { Figures } from "../../src/figures/figures.ts";
import { indexFigures } from "../../src/figures/index-figures.ts";
import { processFigures } from "../../src/figures/process-figures.ts";
import { snapshotIn, sumOf, type Snapshot } from "../../src/figures/snapshot.ts";
import { combinations, counters, gauges, times } from "../../src/figures/table.ts";
import { familiesIn, seriesIn, valueIn } from "./scrape.ts";

const nothing = { gauges: {}, counters: {} };

function scraped(figures: Figures) {
  return familiesIn(exposition(figures.snapshot(nothing)));
}

describe("figures", () => {
  it("are in Prometheus' format with nothing counted, and with all of it [REQ D7.1]", () => {
    const none = scraped(new Figures());
    expect(valueIn(none, "acp_sidecar_turns_total", { outcome: "end_turn" })).toBe(0);
    // Of what has so many labels only that is told which has been counted.
    expect([...none.keys()].filter((name) => name.includes("http"))).toEqual([]);
    const figures = new Figures();
    for (const [name, { labels }] of Object.entries(counters) as [
      keyof typeof noCounters,
      { labels?: never },
    ][])
      for (const of of combinations(labels)) figures.add(name, of, 2);
    for (const [name, { labels }] of Object.entries(times) as [keyof typeof times, { labels?: never }][])
      for (const of of combinations(labels))
        for (const seconds of [0, 0.03, 1e6]) figures.time(name, of, seconds);
    const all = Object.fromEntries(Object.keys(gauges).map((name) => [name, 1.5]));
    const families = familiesIn(
      exposition(figures.snapshot({ gauges: all, counters: { cacheHits: 3, cpuSeconds: 0.25 } })),
    );
    const ofHttp = new Set([counters.httpRequests.name, times.httpRequest.name] as string[]);
    const others = new Map([...families].filter(([name]) => !ofHttp.has(name)));
    expect(seriesIn(others)).toBeLessThanOrEqual(200);
    expect(families.size).toBe([counters, times, gauges].flatMap((table) => Object.keys(table)).length + 1);
    expect(valueIn(families, "acp_sidecar_cache_hits_total")).toBe(3);
    for (const name of families.keys()) expect(name).toMatch(/^acp_sidecar_/);
  });

  it("sort times into what they are within", () => {
    const figures = new Figures();
    for (const seconds of [0.0001, 0.0002, 0.3, 0.3]) figures.time("storeOperation", "append", seconds);
    const families = scraped(figures);
    const of = (le: string) =>
      valueIn(families, "acp_sidecar_store_operation_duration_seconds_bucket", { operation: "append", le });
    expect(["0.0001", "0.0005", "0.25", "+Inf"].map(of)).toEqual([1, 2, 2, 4]);
    expect(
      valueIn(families, "acp_sidecar_store_operation_duration_seconds_sum", { operation: "append" }),
    ).toBeCloseTo(0.6003);
  });

  it("take no label from outside: what is not among the values is other, or nothing", () => {
    const figures = new Figures();
    const hostile = [
      "MARKER",
      'x"} 1\nevil 2',
      "__proto__",
      "constructor ok",
      "session/new MARKER",
      "",
      " ",
      "a b c",
    ];
    for (const said of hostile) {
      figures.add("requests", said);
      figures.add("turns", said);
      figures.add("tokens", said, 5);
      figures.time("request", said, 1);
    }
    figures.add("requests", "_MARKER/method failed");
    const text = exposition(figures.snapshot(nothing));
    expect(text).not.toMatch(/MARKER|evil|proto|constructor/);
    const families = familiesIn(text);
    expect(valueIn(families, "acp_sidecar_requests_total", { method: "other", outcome: "ok" })).toBe(1);
    expect(valueIn(families, "acp_sidecar_requests_total", { method: "other", outcome: "failed" })).toBe(1);
    expect(valueIn(families, "acp_sidecar_turns_total", { outcome: "other" })).toBe(hostile.length);
    expect(valueIn(families, "acp_sidecar_tokens_total", { kind: "input" })).toBe(0);
  });

  it("are told what was said before they were there, and in what order it came does not matter", () => {
    const meter = new Meter();
    meter.add("turns", "end_turn");
    meter.time("turn", "", 2);
    const figures = new Figures();
    meter.tell(figures);
    meter.add("turns", "end_turn", 2);
    const families = scraped(figures);
    expect(valueIn(families, "acp_sidecar_turns_total", { outcome: "end_turn" })).toBe(3);
    expect(valueIn(families, "acp_sidecar_turn_duration_seconds_count")).toBe(1);
    noMeter.add("turns");
    noMeter.time("turn", "", 1);
  });

  it("of a process say what it takes", () => {
    const found = processFigures();
    expect(found.gauges.residentBytes).toBeGreaterThan(10 << 20);
    expect(found.counters.cpuSeconds).toBeGreaterThan(0);
    if (process.platform === "linux") expect(found.gauges.openFiles).toBeGreaterThan(2);
  });

  it("of indexes of search are those on disk, and since when none was written", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-index-"));
    expect(indexFigures(folder, 0)).toEqual({});
    expect(indexFigures(undefined, 0)).toEqual({});
    fs.mkdirSync(path.join(folder, "search"));
    for (const [name, size, at] of [
      ["a.db", 10, 1000],
      ["a.db-wal", 5, 1060],
      ["b.db", 1, 900],
      ["c.txt", 9, 2000],
    ] as const) {
      const file = path.join(folder, "search", name);
      fs.writeFileSync(file, "x".repeat(size));
      fs.utimesSync(file, at, at);
    }
    expect(indexFigures(folder, 1_100_000)).toEqual({ indexSize: 16, indexAge: 40 });
    fs.rmSync(folder, { recursive: true });
  });

  it("of caches are those of all layers", () => {
    const details = {
      "1.cache.hits": 3,
      "2.cache.hits": 4,
      "1.cache.misses": 1,
      evictions: 2,
      hits: "many",
      path: "/x",
    };
    expect(cacheCounters(details)).toEqual({ cacheHits: 7, cacheMisses: 1, cacheEvictions: 2 });
  });
});

describe("a sum of figures", () => {
  it("adds what was counted and what there is, and takes the greatest where there is one of it", () => {
    const one: Snapshot = {
      counters: { turns: { end_turn: 1 } },
      times: { turn: { "": { sum: 1, within: { 1: 1, Inf: 0 } } } },
      gauges: { liveSessions: 2, indexAge: 5 },
    };
    const other: Snapshot = {
      counters: { turns: { end_turn: 2, refusal: 1 }, later: { x: 1 } },
      times: { turn: { "": { sum: 5, within: { 1: 0, 3: 1, Inf: 2 } } } },
      gauges: { liveSessions: 3, indexAge: 4 },
    };
    const sum = sumOf([one, other]);
    expect(sum.gauges).toEqual({ liveSessions: 5, indexAge: 5 });
    const families = familiesIn(exposition(sum));
    expect(valueIn(families, "acp_sidecar_turns_total", { outcome: "end_turn" })).toBe(3);
    const of = (le: string) => valueIn(families, "acp_sidecar_turn_duration_seconds_bucket", { le });
    // Bounds of another version count within the next of ours.
    expect([of("1"), of("5"), of("+Inf")]).toEqual([1, 2, 4]);
  });

  it.each([
    [undefined],
    [[]],
    [{ counters: {}, times: {} }],
    [{ counters: { turns: 1 }, times: {}, gauges: {} }],
    [{ counters: { turns: { x: -1 } }, times: {}, gauges: {} }],
    [{ counters: { turns: { x: "1" } }, times: {}, gauges: {} }],
    [{ counters: {}, times: { turn: { "": { sum: 1 } } }, gauges: {} }],
    [{ counters: {}, times: {}, gauges: { liveSessions: null } }],
  ])("is of what are figures only: %j are none", (value) => {
    expect(snapshotIn(value)).toBeUndefined();
  });

  it("goes by names without taking them for something of an object's own", () => {
    const hostile = JSON.parse(
      '{"counters":{"__proto__":{"constructor":1},"turns":{"__proto__":2,"end_turn":1}},"times":{},"gauges":{"toString":1}}',
    ) as unknown;
    const sum = sumOf([snapshotIn(hostile), snapshotIn(hostile)].filter((each) => each !== undefined));
    expect(valueIn(familiesIn(exposition(sum)), "acp_sidecar_turns_total", { outcome: "end_turn" })).toBe(2);
    expect(({} as Record<string, unknown>)["constructor"]).toBe(Object);
  });
});

/** Those that are said to a meter. */
const {
  cacheHits: _h,
  cacheMisses: _m,
  cacheEvictions: _e,
  cpuSeconds: _c,
  activeSeconds: _a,
  ...noCounters
} = counters;
