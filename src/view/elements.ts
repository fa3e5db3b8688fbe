/** Elements, made of texts: nothing here, or anywhere in the view, reads a text as HTML. */

export type Child = Node | string | undefined | false | readonly Child[];

type Listener = (event: Event) => void;
type Value = string | number | boolean | undefined | Listener;

/**
 * An element with attributes (`true` is one without a value, `false` and undefined are none) and listeners (`onclick`).
 * Names are the view's own; texts from outside go into values and children, where they are texts.
 */
export function h<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Readonly<Record<string, Value>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[T] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  add(element, children);
  return element;
}

export function add(parent: Node, children: readonly Child[]): void {
  for (const child of children) {
    if (child === undefined || child === false || child === "") continue;
    if (isList(child)) add(parent, child);
    else parent.appendChild(typeof child === "string" ? document.createTextNode(child) : child);
  }
}

function isList(child: Child): child is readonly Child[] {
  return Array.isArray(child);
}

/** Of the page itself. Throws where it is missing, which is a fault of the page. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** `act` is told of what fails in it by `failed`. */
export function button(label: string, act: () => void, attributes: Readonly<Record<string, Value>> = {}) {
  return h("button", { type: "button", onclick: act, ...attributes }, label);
}
