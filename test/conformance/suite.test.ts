/** The suite is a judge: here it is judged, on stores with known defects. */
import { describe, expect, it } from "vitest";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { ofJournals } from "./broken/journals.ts";
import { ofLeases } from "./broken/leases.ts";
import { ofLists } from "./broken/lists.ts";
import { ofRecords } from "./broken/records.ts";
import { brokenStore } from "./broken/store.ts";
import { storeConformance, type StoreUnderTest } from "./suite.ts";

const defects = [...ofRecords, ...ofJournals, ...ofLeases, ...ofLists];

/** Defects that only a certain order of operations shows: the random histories must hit upon it. */
const hidden = [
  "leaves chunks behind when it seals",
  "takes a fork's inherited entries away with its parent",
  "accepts an older fencing number",
  "seals under an older fencing number",
];

interface Collected {
  readonly title: string;
  readonly body: () => Promise<void>;
}

/** The suite's checks, by a runner that runs nothing. */
function collect(subject: StoreUnderTest): Collected[] {
  const collected: Collected[] = [];
  const path: string[] = [];
  const describe = (title: string, body: () => void): void => {
    path.push(title);
    body();
    path.pop();
  };
  const it = (title: string, body: () => Promise<void>): void => {
    collected.push({ title: [...path.slice(1), title].join(": "), body });
  };
  storeConformance({ describe, it }, subject);
  return collected;
}

async function failures(checks: readonly Collected[]): Promise<string[]> {
  const failed: string[] = [];
  for (const { title, body } of checks) await body().catch(() => failed.push(title));
  return failed;
}

const volatile = { persistent: false, shared: false, survivesPowerLoss: false };
const subject = (open: StoreUnderTest["open"], more: Partial<StoreUnderTest> = {}): StoreUnderTest => ({
  name: "judged",
  open,
  capabilities: volatile,
  ...more,
});

describe("the conformance suite", () => {
  for (const { title, caughtBy, breaks } of defects) {
    it(`catches a store that ${title}`, async () => {
      const checks = collect(subject(async () => brokenStore({ breaks })));
      const responsible = checks.filter((check) => check.title.startsWith(`${caughtBy}: `));
      expect(await failures(responsible)).not.toEqual([]);
    });
  }

  for (const { title, breaks } of defects.filter((defect) => hidden.includes(defect.title))) {
    it(`finds a history that shows a store that ${title}`, { tags: ["long"] }, async () => {
      const checks = collect(subject(async () => brokenStore({ breaks }), { modelRuns: 400 }));
      const random = checks.filter((check) => check.title.startsWith("random histories: "));
      expect(await failures(random)).toHaveLength(1);
    });
  }

  it("says what was expected and what was received", async () => {
    const open = async () =>
      brokenStore({ breaks: (inner) => ({ count: async () => (await inner.count()) + 1 }) });
    const told: string[] = [];
    for (const { body } of collect(subject(open))) {
      await body().catch((error: unknown) => told.push((error as Error).message));
    }
    expect(told.length).toBeGreaterThan(0);
    for (const message of told) expect(message).toMatch(/expected: .+\nreceived: .+/);
  });

  it("finds nothing wrong with the store that the defects are put in front of", async () => {
    expect(await failures(collect(subject(async () => brokenStore({ breaks: () => ({}) }))))).toEqual([]);
  });

  it("catches a store that claims to outlive the process and does not", async () => {
    const capabilities = { ...volatile, persistent: true };
    const open = async () => ({ ...brokenStore({ breaks: () => ({}) }), capabilities });
    const checks = collect(subject(open, { reopen: open, capabilities }));
    expect(await failures(checks)).toEqual([
      "lifecycle: has everything after a close and a reopen",
      "room: finds it compressed after a restart",
    ]);
  });

  it("catches a store that claims to be shared and is not", async () => {
    const capabilities = { ...volatile, shared: true };
    const open = async () => ({ ...brokenStore({ breaks: () => ({}) }), capabilities });
    const checks = collect(subject(open, { reopen: open, capabilities }));
    const failed = await failures(checks.filter(({ title }) => title.startsWith("two stores")));
    expect(failed).toHaveLength(6);
  });

  it("says aloud what it does not check, and checks all else", () => {
    const titles = collect(subject(async () => openMemoryStore())).map(({ title }) => title);
    const unchecked = titles.filter((title) => title.includes("NOT CHECKED"));
    expect(unchecked).toHaveLength(8);
    expect(unchecked[0]).toContain("declared not persistent: has everything after a close and a reopen");
    expect(titles.length).toBeGreaterThan(80);
  });

  it("closes every store that it opens, and removes every medium", async () => {
    let open = 0;
    let disposed = 0;
    const counting = async () => {
      const store = brokenStore({ breaks: () => ({}) });
      open += 1;
      return { ...store, close: async () => ((open -= 1), store.close()) };
    };
    const dispose = async () => void (disposed += 1);
    const checks = collect(subject(counting, { dispose })).slice(0, 5);
    await failures(checks);
    expect([open, disposed]).toEqual([0, 5]);
  });
});
