/** What a session is, in a line or two beneath its title. */
import { visibleLine } from "../base/visible.ts";
import { button, h, type Child } from "./elements.ts";
import { movedOn, type Changes } from "./moved.ts";
import { agentOf, states, titleOf } from "./names.ts";
import type { Session } from "./shapes.ts";
import type { ContextUse } from "./usage.ts";
import { timeElement } from "./time.ts";
import { momentText, shortNumber } from "./when.ts";

/** That the session went back, and what did not count any more then. */
export interface Back {
  readonly times: number;
  readonly isShown: boolean;
  readonly toggle: () => void;
}

/** What is known of a session beside itself. */
export interface About {
  readonly forks: readonly Session[];
  readonly use: ContextUse | undefined;
  readonly changes: Changes | undefined;
  readonly back: Back;
}

export function factsOf(session: Session, { forks, use, changes, back }: About): readonly Child[] {
  const { cwd, state, archived, lineage, lease, updatedAtMs } = session;
  const holder = lease && `process ${lease.holder.pid} on ${visibleLine(lease.holder.host)}`;
  const agent = agentOf(session);
  return [
    h(
      "span",
      { class: `chip ${state}`, title: `${states[state]}${holder ? ` in ${holder}` : ""}` },
      states[state],
    ),
    // Whose turn it is, for whoever waits for it.
    state === "running" && holder !== undefined && h("span", {}, holder),
    archived && h("span", { class: "chip" }, "archived"),
    agent !== "" && h("bdi", {}, agent),
    h("bdi", { class: "folder", title: visibleLine(cwd) }, visibleLine(cwd)),
    use !== undefined && usedPart(use),
    timeElement(updatedAtMs, momentText(updatedAtMs), "Last activity: ", "wide"),
    lineage !== undefined &&
      h(
        "span",
        {},
        "↳ fork of ",
        h(
          "a",
          { href: `#${lineage.parentId}/${lineage.atSeq}` },
          `${lineage.parentId.slice(-6)} at #${lineage.atSeq}`,
        ),
      ),
    forks.length > 0 && forksOf(forks),
    back.times > 0 &&
      button(back.isShown ? "↩ Hide what was taken back" : "↩ Show what was taken back", back.toggle, {
        class: "plain",
      }),
    changes && movedOn(changes, cwd),
  ];
}

/** How full the agent's context is, as it says. */
function usedPart({ used, size, cost }: ContextUse): HTMLElement {
  const percent = Math.min(100, Math.round((100 * used) / size));
  const text = `${percent} % of ${shortNumber(size)} tokens`;
  return h(
    "span",
    { class: "use" },
    h("meter", { min: 0, max: 100, value: percent, high: 80, "aria-label": "Context used" }),
    ` ${text}${cost === "" ? "" : ` · ${cost}`}`,
  );
}

function forksOf(forks: readonly Session[]): HTMLElement {
  const rows = forks.map((fork) =>
    h(
      "li",
      {},
      h("a", { href: `#${fork.id}`, dir: "auto" }, `${titleOf(fork)} — after #${fork.lineage?.atSeq ?? 0}`),
    ),
  );
  return h(
    "details",
    { class: "forks" },
    h("summary", {}, `↳ ${forks.length} ${forks.length === 1 ? "fork" : "forks"}`),
    h("ul", {}, rows),
  );
}
