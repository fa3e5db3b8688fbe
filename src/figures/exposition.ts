/** Figures as Prometheus reads them. https://prometheus.io/docs/instrumenting/exposition_formats/ (text format, 0.0.4) */
import { version } from "../base/version.ts";
import type { Snapshot, TimesOf } from "./snapshot.ts";
import { allowedValues, combinations, counters, gauges, times, type Figure } from "./table.ts";

/** What HTTP is to say of it. */
export const expositionType = "text/plain; version=0.0.4; charset=utf-8";

/** Counters and histograms that nothing has happened for are 0, unless they are sparse; a gauge that nobody knows is left out. */
export function exposition(snapshot: Snapshot): string {
  const { beginning, counting, timing } = (families ??= allFamilies());
  let text = beginning;
  for (const [key, family] of counting) text += family.text(snapshot.counters[key]);
  for (const [key, family] of timing) text += family.text(snapshot.times[key]);
  for (const [key, { name, help }] of entriesOf(gauges)) {
    const value = snapshot.gauges[key as keyof typeof gauges];
    if (value !== undefined) text += `${headOf(name, "gauge", help)}${name} ${value}\n`;
  }
  return text;
}

/** One series of a counter, or one histogram: how its lines begin is put together once, its values each time. */
type Written<T> = (found: T | undefined) => string;

/**
 * What is written of one figure. Most of it is the same each time, and what nothing has happened for is all the same: a
 * server's first scrapes come before anything is compiled, and would take most of their time for it.
 */
class Family<T> {
  readonly #figure: Figure;
  readonly #head: string;
  readonly #writtenOf: (figure: Figure, values: string) => Written<T>;
  /** By the values of its labels, only such as there may be. */
  readonly #series = new Map<string, Written<T>>();
  #empty: string | undefined;

  constructor(figure: Figure, type: string, writtenOf: (figure: Figure, values: string) => Written<T>) {
    this.#figure = figure;
    this.#head = headOf(figure.name, type, figure.help);
    this.#writtenOf = writtenOf;
    if (figure.isSparse === true) return;
    for (const values of combinations(figure.labels)) this.#series.set(values, writtenOf(figure, values));
  }

  text(found: Readonly<Record<string, T>> | undefined): string {
    if (found === undefined) return (this.#empty ??= this.#textOf({}));
    return this.#textOf(found);
  }

  #textOf(found: Readonly<Record<string, T>>): string {
    let text = "";
    if (this.#figure.isSparse === true)
      for (const values of Object.keys(found).sort()) text += this.#allowed(values)?.(found[values]) ?? "";
    else for (const [values, written] of this.#series) text += written(found[values]);
    return text === "" ? "" : this.#head + text;
  }

  /** Another version may have counted what is none of our labels. */
  #allowed(values: string): Written<T> | undefined {
    const known = this.#series.get(values);
    if (known !== undefined || allowedValues(this.#figure.labels, values) !== values) return known;
    const written = this.#writtenOf(this.#figure, values);
    this.#series.set(values, written);
    return written;
  }
}

/** Made when they are first wanted: most processes tell nobody their figures in this form. */
let families: ReturnType<typeof allFamilies> | undefined;

function allFamilies() {
  const build = headOf("acp_sidecar_build_info", "gauge", "The version that answers; always 1.");
  return {
    beginning: `${build}acp_sidecar_build_info{version=${quoted(version)}} 1\n`,
    counting: entriesOf(counters).map(
      ([key, figure]) => [key, new Family(figure, "counter", counted)] as const,
    ),
    timing: entriesOf(times).map(([key, figure]) => [key, new Family(figure, "histogram", timed)] as const),
  };
}

function counted({ name, labels }: Figure, values: string): Written<number> {
  const before = `${name}${labelled(labels, values)} `;
  return (found = 0) => `${before}${found}\n`;
}

/** Cumulative, as it wants them. What an older version kept by other bounds counts within the next greater one of ours. */
function timed({ name, labels, edges = [] }: Figure, values: string): Written<TimesOf> {
  const bounds = [...edges, Infinity];
  const of = (end: string, edge?: string) => `${name}_${end}${labelled(labels, values, edge)} `;
  const buckets = bounds.map((edge) => of("bucket", edge === Infinity ? "+Inf" : String(edge)));
  const [sumOf, countOf] = [of("sum"), of("count")];
  const written = (sum: number, within: TimesOf["within"]) => {
    const counts = bounds.map(() => 0);
    for (const edge of Object.keys(within)) {
      const upTo = edge === "Inf" ? Infinity : Number(edge);
      const at = bounds.findIndex((bound) => upTo <= bound);
      if (at >= 0) counts[at] = (counts[at] ?? 0) + (within[edge] ?? 0);
    }
    let [text, total] = ["", 0];
    for (const [at, before] of buckets.entries()) {
      total += counts[at] ?? 0;
      text += `${before}${total}\n`;
    }
    return `${text}${sumOf}${sum}\n${countOf}${total}\n`;
  };
  const empty = written(0, {});
  return (found) => (found === undefined ? empty : written(found.sum, found.within));
}

function headOf(name: string, type: string, help: string): string {
  const escaped = help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n");
  return `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n`;
}

function labelled(labels: Figure["labels"], values: string, edge?: string): string {
  const words = values.split(" ");
  const pairs = Object.keys(labels ?? {}).map((label, at) => `${label}=${quoted(words[at] ?? "")}`);
  if (edge !== undefined) pairs.push(`le=${quoted(edge)}`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function quoted(value: string): string {
  return `"${value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`;
}

function entriesOf(table: Readonly<Record<string, Figure>>): [string, Figure][] {
  return Object.entries(table);
}
