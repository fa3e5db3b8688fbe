/** A time in the page: short, and in full for whoever points at it. */
import { h } from "./elements.ts";
import { fullTime } from "./when.ts";

/** @param about what stands before the full one */
export function timeElement(ms: number, text: string, about = "", kind?: string): HTMLElement {
  // A list has many, and a browser takes milliseconds to word the first one in full.
  const tell = () => (time.title = about + fullTime(ms));
  const time = h("time", { class: kind, onpointerenter: tell }, text);
  return time;
}
