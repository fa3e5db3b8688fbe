/** The head of a conversation. What has not changed stays, with what is open or has the focus in it. */
import { jsonTextOf } from "../base/json-text.ts";
import { h, type Child } from "./elements.ts";
import { factsOf, type About } from "./facts.ts";
import { notArchivable } from "./in-use.ts";
import { titleOf } from "./names.ts";
import type { Session } from "./shapes.ts";

export class Head {
  readonly #title = h("h2", { dir: "auto" });
  readonly #actions = h("div", { class: "actions", role: "toolbar", "aria-label": "Session" });
  readonly #facts = h("div", { class: "facts-line" });
  readonly element = h(
    "header",
    { class: "head-bar" },
    h(
      "div",
      { class: "head-top" },
      h("a", { href: "#", class: "back", "aria-label": "All sessions" }, "‹"),
      this.#title,
      this.#actions,
    ),
    this.#facts,
  );
  readonly #shown = new Map<HTMLElement, string>();

  /** @param actions made anew when they would be others */
  show(session: Session, about: About, actions: () => readonly HTMLElement[]): void {
    const { title, archived } = session;
    this.#put(this.#title, [title], () => titleOf(session));
    this.#put(this.#actions, [title, archived], actions);
    // It can be reached by keys, and says why it does nothing.
    const why = notArchivable(session);
    const archive = this.#actions.querySelector(".archive");
    archive?.setAttribute("aria-disabled", String(why !== undefined));
    archive?.setAttribute("title", why ?? "");
    // Of what changes with every entry nothing is shown.
    const { headSeq: _, sealedSeq: __, lease, updatedAtMs, ...facts } = session;
    const { forks, use, changes, back } = about;
    const told = [
      facts,
      lease?.holder,
      Math.floor(updatedAtMs / 60_000),
      forks,
      use,
      changes,
      back.times,
      back.isShown,
    ];
    this.#put(this.#facts, told, () => factsOf(session, about));
  }

  #put(element: HTMLElement, about: unknown, draw: () => Child): void {
    const key = jsonTextOf(about);
    if (this.#shown.get(element) === key) return;
    this.#shown.set(element, key);
    element.replaceChildren(h("span", { class: "contents" }, draw()));
  }
}
