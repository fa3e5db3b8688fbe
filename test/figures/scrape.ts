/**
 * Reads Prometheus' text format 0.0.4 as strictly as its page has it, and what `promtool check metrics` finds besides: nothing of
 * ours is used for it. https://prometheus.io/docs/instrumenting/exposition_formats/
 */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const number = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?Inf|NaN)$/;

/** Throws where a line is not in the format, and where families are not as they are to be. */
export function familiesIn(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families = new Map<string, { name: string; type?: string; help?: string; samples: Sample[] }>();
  let current: { name: string; type?: string; help?: string; samples: Sample[] } | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind = "", name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind !== "") {
      if (!metricName.test(name)) throw new Error(`not a name: ${line}`);
      if (current?.name !== name) {
        if (families.has(name)) throw new Error(`${name} comes twice`);
        current = { name, samples: [] };
        families.set(name, current);
      }
      if (current.samples.length > 0) throw new Error(`${kind} of ${name} comes after its samples`);
      if (kind === "HELP") {
        if (current.help !== undefined || /\\(?![\\n])/.test(rest)) throw new Error(`a bad HELP: ${line}`);
        current.help = rest;
      } else {
        if (current.type !== undefined || !["counter", "gauge", "histogram"].includes(rest))
          throw new Error(`a bad TYPE: ${line}`);
        current.type = rest;
      }
      continue;
    }
    const sample = sampleIn(line);
    if (current === undefined || !belongs(sample.name, current)) throw new Error(`of no family: ${line}`);
    current.samples.push(sample);
  }
  return new Map([...families].map(([name, family]) => [name, checked(family)]));
}

export function seriesIn(families: ReadonlyMap<string, Family>): number {
  return [...families.values()].reduce((sum, { samples }) => sum + samples.length, 0);
}

/** The value of the one sample that has this name and these labels. */
export function valueIn(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = families.get(name.replace(/_(?:bucket|sum|count)$/, "")) ?? families.get(name);
  const found = family?.samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  if (found !== undefined && found.length > 1) throw new Error(`${name} has several of these`);
  return found?.[0]?.value;
}

function sampleIn(line: string): Sample {
  const open = /^([^\s{]+)(\{)?/.exec(line);
  const name = open?.[1] ?? "";
  if (!metricName.test(name)) throw new Error(`not a sample: ${line}`);
  const labels: Record<string, string> = {};
  let rest = line.slice(open?.[0].length ?? 0);
  if (open?.[2] === "{") {
    for (;;) {
      const [whole, label = "", escaped = "", end] =
        /^([^=\s]+)="((?:[^"\\\n]|\\[\\"n])*)"([,}])/.exec(rest) ?? [];
      if (whole === undefined || !labelName.test(label) || label in labels)
        throw new Error(`bad labels: ${line}`);
      labels[label] = escaped.replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c));
      rest = rest.slice(whole.length);
      if (end === "}") break;
    }
  }
  const value = rest.slice(1);
  if (!rest.startsWith(" ") || !number.test(value)) throw new Error(`not a value: ${line}`);
  return { name, labels, value: Number(value.replace("Inf", "Infinity")) };
}

function belongs(name: string, { name: family, type }: { name: string; type?: string }): boolean {
  if (type !== "histogram") return name === family;
  return ["_bucket", "_sum", "_count"].some((end) => name === family + end);
}

/** What promtool warns of: units, endings, help; and what a histogram must be. */
function checked({
  name,
  type,
  help,
  samples,
}: {
  name: string;
  type?: string;
  help?: string;
  samples: Sample[];
}): Family {
  if (type === undefined || help === undefined || help === "")
    throw new Error(`${name} lacks its HELP or TYPE`);
  if (samples.length === 0) throw new Error(`${name} has no samples`);
  if (type === "counter" && !name.endsWith("_total"))
    throw new Error(`the counter ${name} does not end with _total`);
  if (type !== "counter" && name.endsWith("_total")) throw new Error(`${name} is no counter`);
  if (/_(?:ms|milliseconds|minutes|hours|kb|kib|mb|bits|percent)(?:_|$)/.test(name))
    throw new Error(`${name} is not in base units`);
  if (/_(?:count|sum|bucket)$/.test(name)) throw new Error(`${name} ends as a part of a histogram`);
  const keys = samples.map((each) => `${each.name} ${JSON.stringify(Object.entries(each.labels).sort())}`);
  if (new Set(keys).size !== keys.length) throw new Error(`a series of ${name} comes twice`);
  if (type === "counter" && samples.some(({ value }) => !(value >= 0))) throw new Error(`${name} is below 0`);
  if (type === "histogram") checkHistogram(name, samples);
  return { name, type, help, samples };
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const rows = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...others } = sample.labels;
    const key = JSON.stringify(others);
    rows.set(key, [...(rows.get(key) ?? []), sample]);
  }
  for (const [key, row] of rows) {
    const buckets = row.filter((each) => each.name === `${name}_bucket`);
    const edges = buckets.map(({ labels }) => Number((labels["le"] ?? "none").replace("Inf", "Infinity")));
    const rises = (values: readonly number[], strictly: boolean) =>
      values.every(
        (value, at) =>
          at === 0 || (strictly ? value > (values[at - 1] ?? 0) : value >= (values[at - 1] ?? 0)),
      );
    const total = row.find((each) => each.name === `${name}_count`)?.value;
    const isSound =
      edges.at(-1) === Infinity &&
      rises(edges, true) &&
      rises(
        buckets.map(({ value }) => value),
        false,
      ) &&
      buckets.at(-1)?.value === total &&
      row.filter((each) => each.name === `${name}_sum`).length === 1 &&
      row.length === buckets.length + 2;
    if (!isSound) throw new Error(`the histogram ${name} ${key} is none`);
  }
}
