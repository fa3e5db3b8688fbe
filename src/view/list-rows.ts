/** The rows of the list. */
import { visibleLine } from "../base/visible.ts";
import { h } from "./elements.ts";
import { agentOf, folderName, states, titleOf } from "./names.ts";
import type { Found, Session } from "./shapes.ts";
import { timeElement } from "./time.ts";
import { briefTime } from "./when.ts";

export function periodRow(text: string): HTMLElement {
  return h("li", { class: "period" }, h("h2", {}, text));
}

export function sessionRow(session: Session, isOpen: boolean): HTMLElement {
  const { id, cwd, state, archived, updatedAtMs, lineage } = session;
  const agent = agentOf(session);
  const facts = [folderName(cwd), agent].filter((each) => each !== "").join(" · ");
  const link = h(
    "a",
    { href: `#${id}`, class: "row", "data-id": id, "aria-current": isOpen && "page" },
    h(
      "span",
      { class: "row-title", dir: "auto" },
      state !== "idle" && h("span", { class: `dot ${state}`, role: "img", "aria-label": states[state] }),
      titleOf(session),
    ),
    h(
      "span",
      { class: "row-facts" },
      h("bdi", { title: visibleLine(cwd) }, facts),
      archived && h("span", { class: "chip" }, "archived"),
      lineage !== undefined && h("span", { class: "chip" }, "fork"),
      timeElement(updatedAtMs, briefTime(updatedAtMs)),
    ),
  );
  return h("li", {}, link);
}

/** What was said, where. */
export function hitRows({ sessions, isMore }: Found): HTMLElement[] {
  if (sessions.length === 0) return [];
  const rows = sessions.flatMap((session) =>
    session.hits.map(({ seq, role, snippet, atMs }) => {
      const parts = snippet.map(({ text, isMatch }) =>
        isMatch ? h("mark", {}, visibleLine(text)) : visibleLine(text),
      );
      return h(
        "li",
        {},
        h(
          "a",
          { href: `#${session.id}/${seq}`, class: "row hit", "data-id": `${session.id}/${seq}` },
          h("span", { class: "snippet", dir: "auto" }, parts),
          h(
            "span",
            { class: "row-facts" },
            h("bdi", {}, `${titleOf(session)} · ${visibleLine(role)}`),
            timeElement(atMs, briefTime(atMs)),
          ),
        ),
      );
    }),
  );
  return [
    periodRow("In conversations"),
    ...rows,
    ...(isMore ? [h("li", { class: "empty" }, "There is more; add a word.")] : []),
  ];
}

export function cannotSearch(error: unknown): HTMLElement {
  const why = error instanceof Error ? error.message : String(error);
  return h("li", { class: "empty" }, `What was said cannot be searched: ${why}`);
}
