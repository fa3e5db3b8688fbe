/** The items that are in the page, each with its element. What has not changed keeps its own, with what is open in it. */
import { jsonTextOf } from "../base/json-text.ts";
import { merged } from "./merged.ts";
import type { Item } from "./shapes.ts";

/** @param before the item above it */
export type Draw = (item: Item, before: Item | undefined) => HTMLElement;

interface Kept {
  readonly item: Item;
  readonly element: HTMLElement;
  /** By which item it was drawn as the next one. */
  readonly beforeType: string;
}

export class Drawn {
  readonly #list: HTMLElement;
  readonly #draw: Draw;
  #kept: readonly Kept[] = [];

  constructor(list: HTMLElement, draw: Draw) {
    [this.#list, this.#draw] = [list, draw];
  }

  get items(): readonly Item[] {
    return this.#kept.map(({ item }) => item);
  }

  show(items: readonly Item[]): void {
    const known = new Map(this.#kept.map((each) => [nameOf(each.item), each]));
    const list = merged(items);
    this.#kept = list.map((item, at) => this.#keptFor(item, list[at - 1], known.get(nameOf(item))));
    this.#place();
  }

  /** The element of the entry, or of the item that begins at or last before it. */
  elementAt(seq: number): HTMLElement | undefined {
    const seen = this.#kept.filter(({ element }) => !element.hidden);
    const found = seen.find(({ item }) => item.seq <= seq && item.through >= seq);
    return (found ?? seen.find(({ item }) => item.seq >= seq) ?? seen.at(-1))?.element;
  }

  /** The first that reaches below a height of the scroller. */
  firstBelow(top: number): HTMLElement | undefined {
    return this.#kept.find(({ element }) => !element.hidden && element.offsetTop + element.offsetHeight > top)
      ?.element;
  }

  /** The one before or after the one with the focus, or else the one at this height. */
  neighbour(by: 1 | -1, top: number): HTMLElement | undefined {
    const seen = this.#kept.filter(({ element }) => !element.hidden);
    const focused = seen.findIndex(({ element }) => element.contains(document.activeElement));
    if (focused >= 0) return seen[focused + by]?.element;
    const first = seen.findIndex(({ element }) => element.offsetTop + element.offsetHeight > top);
    return seen[by > 0 ? first : Math.max(0, first - 1)]?.element;
  }

  #keptFor(item: Item, before: Item | undefined, known: Kept | undefined): Kept {
    const isSame =
      known !== undefined &&
      known.beforeType === typeOf(before) &&
      (known.item === item || isEqual(known.item, item));
    return isSame ? known : this.#drawnAnew(item, before, known?.element);
  }

  #drawnAnew(item: Item, before: Item | undefined, old: HTMLElement | undefined): Kept {
    const element = this.#draw(item, before);
    if (old !== undefined) openLike(element, old);
    return { item, element, beforeType: typeOf(before) };
  }

  /** With as few moves as possible: an element that is moved loses the focus and where it is scrolled to. */
  #place(): void {
    const wanted = new Set<Node>(this.#kept.map(({ element }) => element));
    const focused = this.#list.contains(document.activeElement) ? document.activeElement : null;
    const seq = focused?.closest<HTMLElement>("article")?.dataset["seq"];
    for (const child of [...this.#list.childNodes]) if (!wanted.has(child)) child.remove();
    let at: ChildNode | null = this.#list.firstChild;
    for (const { element } of this.#kept) {
      if (at === element) at = element.nextSibling;
      else this.#list.insertBefore(element, at);
    }
    if (seq !== undefined && !this.#list.contains(document.activeElement))
      this.#kept.find(({ item }) => item.seq === Number(seq))?.element.focus({ preventScroll: true });
  }
}

/** Entries get other numbers when their turn is final; calls keep their ids. */
function nameOf(item: Item): string {
  return item.type === "call" ? `${item.turn} ${item.child ?? ""} ${item.callId}` : String(item.seq);
}

function typeOf(item: Item | undefined): string {
  return item === undefined
    ? ""
    : `${item.type} ${item.type === "said" ? item.by : ""} ${item.turn} ${item.child ?? ""}`;
}

function isEqual(one: Item, other: Item): boolean {
  return (
    one.through === other.through &&
    one.type === other.type &&
    one.superseded === other.superseded &&
    jsonTextOf(one) === jsonTextOf(other)
  );
}

/** What was open in the old one is open in the new one. */
function openLike(element: HTMLElement, old: HTMLElement): void {
  const open = old.querySelectorAll<HTMLDetailsElement>("details[open][data-key]");
  for (const { dataset } of open) {
    const same = element.querySelector<HTMLDetailsElement>(`details[data-key="${dataset["key"] ?? ""}"]`);
    if (same !== null) same.open = true;
  }
}
