/** What Prometheus and Grafana are given asks for figures that there are: against a scrape that real processes have answered. */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { combinations, counters, gauges, times, type Figure } from "../../src/figures/table.ts";
import { familiesIn, seriesIn, type Family } from "../figures/scrape.ts";
import { selectorsIn } from "./promql.ts";

const read = (file: string) =>
  fs.readFileSync(path.join(fileURLToPath(new URL("../../", import.meta.url)), file), "utf8");

/** `acp-sidecar figures` after some turns of two sidecars, one of them with a cache; written anew when a figure is new. */
const families = familiesIn(read("test/fixtures/figures/scrape.prom"));

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly severity: string;
  readonly summary: string;
}

/** The one form in which our file has its rules; every line must be of it. */
function rulesIn(yaml: string): Rule[] {
  const lines = yaml.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  expect(lines.splice(0, 3)).toEqual(["groups:", "  - name: acp-sidecar", "    rules:"]);
  const forms: readonly (readonly [RegExp, string])[] = [
    [/^ {6}- alert: ([A-Z]\w+)$/, "alert"],
    [/^ {8}expr: ([a-z].*)$/, "expr"],
    [/^ {8}for: (\d+[mh])$/, "for"],
    [/^ {10}severity: (critical|warning|info)$/, "severity"],
    [/^ {10}summary: ([A-Z][^:#]*)$/, "summary"],
    [/^ {8}(labels|annotations):$/, "section"],
  ];
  const rules: Record<string, string>[] = [];
  for (const line of lines) {
    const [form, value] = forms.flatMap(([known, name]) => {
      const found = known.exec(line)?.[1];
      return found === undefined ? [] : [name, found];
    });
    expect(form, line).toBeDefined();
    if (form === "alert") rules.push({});
    Object.assign(rules.at(-1) ?? {}, { [form ?? ""]: value });
  }
  return rules as unknown as Rule[];
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
  }[];
}

/** Everything that an expression names is in the scrape: series, labels, values; and is used as its type wants. */
function expectAnswered(expr: string): void {
  for (const { name, matchers, range, by } of selectorsIn(expr)) {
    const family = families.get(name) ?? families.get(name.replace(/_(?:bucket|sum|count)$/, ""));
    const samples = family?.samples.filter((sample) => sample.name === name) ?? [];
    expect(samples.length, `${name} in ${expr}`).toBeGreaterThan(0);
    const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
    for (const label of [...by, ...matchers.map((each) => each.label)])
      expect([...labels], expr).toContain(label);
    for (const { label, value } of matchers)
      expect(
        samples.map((sample) => sample.labels[label]),
        expr,
      ).toContain(value);
    expect(
      range !== undefined,
      `${name} in ${expr}: counters and histograms are asked for their growth`,
    ).toBe(family?.type !== "gauge");
    if (name.endsWith("_bucket")) expect(by, expr).toContain("le");
  }
}

describe("the recorded scrape", () => {
  it("has every figure that there is, and no other", () => {
    const tables: readonly Readonly<Record<string, Figure>>[] = [counters, times, gauges];
    const all = tables.flatMap((table) => Object.values(table).map(({ name }) => name));
    expect([...families.keys()].sort()).toEqual([...all, "acp_sidecar_build_info"].sort());
    const sparse = new Set(
      tables.flatMap((table) => Object.values(table).filter(({ isSparse }) => isSparse)),
    );
    const isSparse = (family: string) => [...sparse].some(({ name }) => name === family);
    expect(seriesIn(new Map([...families].filter(([name]) => !isSparse(name))))).toBeLessThanOrEqual(200);
    const counted: readonly Figure[] = Object.values(counters);
    for (const figure of counted.filter((each) => !sparse.has(each)))
      expect((families.get(figure.name) as Family).samples).toHaveLength(combinations(figure.labels).length);
  });
});

describe("docs/alerts.yml", () => {
  const rules = rulesIn(read("docs/alerts.yml"));

  it.each(rules.map((rule) => [rule.alert, rule] as const))("%s asks for what there is", (_, rule) => {
    expectAnswered(rule.expr);
    expect(Object.keys(rule)).toEqual(expect.arrayContaining(["alert", "expr", "severity", "summary"]));
    expect(rule.expr, "it must be true or not").toMatch(/ [<>] /);
  });

  it("names no rule twice", () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });
});

describe("docs/grafana.json", () => {
  const dashboard = JSON.parse(read("docs/grafana.json")) as {
    readonly panels: readonly Panel[];
    readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  };

  it.each(dashboard.panels.map((panel) => [panel.title, panel] as const))(
    "%s asks for what there is",
    (_, panel) => {
      expect(["stat", "timeseries"]).toContain(panel.type);
      expect(panel.targets.map(({ refId }) => refId)).toEqual(["A", "B", "C"].slice(0, panel.targets.length));
      for (const { expr, legendFormat } of panel.targets) {
        expectAnswered(expr);
        for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
          expect(selectorsIn(expr).flatMap(({ by }) => by)).toContain(label);
      }
    },
  );

  it("shows every figure but the version, and its panels lie beside one another", () => {
    const asked = dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => selectorsIn(expr)));
    const names = new Set(asked.map(({ name }) => name.replace(/_bucket$/, "")));
    const unseen = [...families.keys()].filter((name) => !names.has(name));
    expect(unseen).toEqual([
      "acp_sidecar_build_info",
      "acp_sidecar_store_written_entries_total",
      "acp_sidecar_entries_stored",
    ]);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    expect(dashboard.templating.list).toMatchObject([{ name: "datasource", type: "datasource" }]);
  });
});

describe("the reader of expressions", () => {
  it.each([
    "rate(acp_x_total)",
    "acp_x_total[5m]",
    "sum(rate(x[5m])",
    "sum by (le rate(x[5m]))",
    "histogram_quantile(x, 0.9)",
    "x{a=b}",
    'x{a="b"',
    "x > ",
    "x y",
    "rate(x[5 minutes])",
    "median(x)",
    "x + rate(y[5m]) )",
  ])("refuses %s", (expr) => {
    expect(() => selectorsIn(expr)).toThrow();
  });

  it("finds what is asked for", () => {
    expect(selectorsIn('sum by (a, le) (rate(x_bucket{b="c",d!~"e|f"}[5m])) / 2 > 0.5 and y == 1')).toEqual([
      {
        name: "x_bucket",
        matchers: [
          { label: "b", op: "=", value: "c" },
          { label: "d", op: "!~", value: "e|f" },
        ],
        range: "[5m]",
        by: ["a", "le"],
      },
      { name: "y", matchers: [], by: [] },
    ]);
  });
});
