/** Draws the samples of a soak: memory, open files and latency over time, one below the other, as SVG. */
import type { Sample } from "./samples.ts";

interface Line {
  readonly color: string;
  readonly of: (sample: Sample) => number;
}

interface Panel {
  readonly title: string;
  /** The last one is drawn on top. */
  readonly lines: readonly Line[];
}

const panels: readonly Panel[] = [
  { title: "resident memory, MiB", lines: [{ color: "#0b62a4", of: ({ residentMiB }) => residentMiB }] },
  { title: "open files", lines: [{ color: "#2e7d32", of: ({ openFiles }) => openFiles }] },
  {
    title: "agent to client, ms: median (dark) and 99th percentile (light)",
    lines: [
      { color: "#e3b7a0", of: ({ latency99Ms }) => latency99Ms },
      { color: "#b3441e", of: ({ latencyMs }) => latencyMs },
    ],
  },
];

const width = 720;
const panelHeight = 130;
const left = 50;
const right = 15;
const chartHeight = 80;

/** @param title what was run */
export function plot(title: string, samples: readonly Sample[]): string {
  const height = 50 + panels.length * panelHeight;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#333">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(left, 22, title, 'font-size="14"'),
    ...panels.flatMap((panel, at) => draw(panel, samples, 40 + at * panelHeight)),
    "</svg>\n",
  ].join("\n");
}

function draw({ title, lines }: Panel, samples: readonly Sample[], top: number): string[] {
  const most = roundUp(Math.max(1, ...lines.flatMap(({ of }) => samples.map(of))));
  const lastSeconds = samples.at(-1)?.atSeconds ?? 1;
  const x = (seconds: number) => left + ((width - left - right) * seconds) / lastSeconds;
  const y = (value: number) => top + 15 + chartHeight * (1 - value / most);
  const grid = [0, most / 2, most].flatMap((value) => [
    `<path d="M${left} ${y(value)}H${width - right}" stroke="#ddd"/>`,
    text(left - 6, y(value) + 4, String(value), 'text-anchor="end"'),
  ]);
  const curves = lines.map(({ color, of }) => {
    const points = samples.map((each) => `${x(each.atSeconds).toFixed(1)},${y(of(each)).toFixed(1)}`);
    return `<polyline points="${points.join(" ")}" fill="none" stroke="${color}" stroke-width="1.5"/>`;
  });
  const end = lastSeconds >= 120 ? `${Math.round(lastSeconds / 60)} min` : `${Math.round(lastSeconds)} s`;
  return [
    text(left, top + 8, title),
    ...grid,
    ...curves,
    text(left, y(0) + 15, "0"),
    text(width - right, y(0) + 15, end, 'text-anchor="end"'),
  ];
}

function text(x: number, y: number, content: string, more = ""): string {
  return `<text x="${x}" y="${y}" ${more}>${content}</text>`;
}

/** To 1, 2 or 5 times a power of ten, or to the half of one: the axis ends in a plain figure. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((each) => each * power >= value) ?? 10;
  return step * power;
}
