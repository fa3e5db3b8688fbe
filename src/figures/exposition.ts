/** Figures as Prometheus reads them. https://prometheus.io/docs/instrumenting/exposition_formats/ (text format, 0.0.4) */
import { version } from "../base/version.ts";
import type { Snapshot, TimesOf } from "./snapshot.ts";
import { allowedValues, combinations, counters, gauges, times, type Figure } from "./table.ts";

/** What HTTP is to say of it. */
export const expositionType = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Figure["labels"];

/** Counters and histograms that nothing has happened for are 0, unless they are sparse; a gauge that nobody knows is left out. */
export function exposition(snapshot: Snapshot): string {
  const lines: string[] = [];
  head(lines, "acp_sidecar_build_info", "gauge", "The version that answers; always 1.");
  lines.push(`acp_sidecar_build_info{version=${quoted(version)}} 1`);
  for (const [key, figure] of entriesOf(counters)) {
    const [{ name, help, labels }, found] = [figure, snapshot.counters[key]];
    const shown = shownOf(figure, found);
    if (shown.length > 0) head(lines, name, "counter", help);
    for (const values of shown) lines.push(`${name}${labelled(labels, values)} ${found?.[values] ?? 0}`);
  }
  for (const [key, figure] of entriesOf(times)) {
    const [{ name, help, labels, edges }, found] = [figure, snapshot.times[key]];
    const shown = shownOf(figure, found);
    if (shown.length > 0) head(lines, name, "histogram", help);
    for (const values of shown) lines.push(...histogram(name, labels, values, edges ?? [], found?.[values]));
  }
  for (const [key, { name, help }] of entriesOf(gauges)) {
    const value = snapshot.gauges[key as keyof typeof gauges];
    if (value === undefined) continue;
    head(lines, name, "gauge", help);
    lines.push(`${name} ${value}`);
  }
  return `${lines.join("\n")}\n`;
}

function entriesOf(table: Readonly<Record<string, Figure>>): [string, Figure][] {
  return Object.entries(table);
}

/** Another version may have counted what is none of our labels. */
function shownOf(
  { labels, isSparse }: Figure,
  found: Readonly<Record<string, unknown>> = {},
): readonly string[] {
  if (isSparse !== true) return combinations(labels);
  return Object.keys(found)
    .filter((values) => allowedValues(labels, values) === values)
    .sort();
}

function head(lines: string[], name: string, type: string, help: string): void {
  lines.push(`# HELP ${name} ${help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")}`, `# TYPE ${name} ${type}`);
}

/** Cumulative, as it wants them. What an older version kept by other bounds counts within the next greater one of ours. */
function histogram(
  name: string,
  labels: Labels,
  values: string,
  edges: readonly number[],
  { sum, within }: TimesOf = { sum: 0, within: {} },
): string[] {
  const counts = Object.entries(within).map(
    ([edge, count]) => [edge === "Inf" ? Infinity : Number(edge), count] as const,
  );
  const upTo = (edge: number) => counts.reduce((all, [each, count]) => (each <= edge ? all + count : all), 0);
  const total = upTo(Infinity);
  return [
    ...edges.map((edge) => `${name}_bucket${labelled(labels, values, String(edge))} ${upTo(edge)}`),
    `${name}_bucket${labelled(labels, values, "+Inf")} ${total}`,
    `${name}_sum${labelled(labels, values)} ${sum}`,
    `${name}_count${labelled(labels, values)} ${total}`,
  ];
}

function labelled(labels: Labels, values: string, edge?: string): string {
  const words = values.split(" ");
  const pairs = Object.keys(labels ?? {}).map((label, at) => `${label}=${quoted(words[at] ?? "")}`);
  if (edge !== undefined) pairs.push(`le=${quoted(edge)}`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function quoted(value: string): string {
  return `"${value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`;
}
