/** How much room text takes on a terminal: wide characters two cells, marks none. */
import stringWidth from "string-width";

const graphemes = new Intl.Segmenter();
/** Nobody reads more in one cell of a table, and nothing is measured that is not shown. */
const longestCell = 1000;

export function widthOf(text: string): number {
  return stringWidth(text, { countAnsiEscapeCodes: true });
}

/** Of what could be shown of it in a cell. */
export function cellWidth(text: string): number {
  return widthOf(text.slice(0, longestCell));
}

/** What is shown of a text in a line: its start or its end, with … for the rest. */
export function fitted(text: string, width: number, keep: "start" | "end" = "start"): string {
  const isLong = text.length > longestCell;
  const part = keep === "start" ? text.slice(0, longestCell) : text.slice(-longestCell);
  if (!isLong && widthOf(part) <= width) return part;
  const clusters = Array.from(graphemes.segment(part), ({ segment }) => segment);
  if (keep === "end") clusters.reverse();
  const shown: string[] = [];
  let taken = 1;
  for (const cluster of clusters) {
    taken += widthOf(cluster);
    if (taken > width) break;
    shown.push(cluster);
  }
  return keep === "start" ? `${shown.join("")}…` : `…${shown.reverse().join("")}`;
}

/** Cut into pieces of at most `width`; a cluster that is wider stands alone. */
export function pieces(text: string, width: number): string[] {
  const found: string[] = [];
  let piece = "";
  let taken = 0;
  for (const { segment } of graphemes.segment(text)) {
    const wide = widthOf(segment);
    if (taken + wide > width && piece !== "") {
      found.push(piece);
      [piece, taken] = ["", 0];
    }
    piece += segment;
    taken += wide;
  }
  return [...found, piece];
}

/** With spaces up to `width`. */
export function padded(text: string, width: number, align: "left" | "right" = "left"): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return align === "left" ? text + space : space + text;
}
