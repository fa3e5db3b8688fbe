/** A conversation on a terminal as a tree: subagents' parts indented below their names, superseded ones between marks. */
import { SidecarError } from "../base/errors.ts";
import type { Picture } from "../history/drawn.ts";
import type { Thread } from "../history/threads.ts";
import { ConversationText, type Layout, type Tools } from "./conversation-text.ts";
import { editedText } from "../history/words.ts";
import { oneLine } from "./print.ts";
import { fitted } from "./width.ts";

const indent = 4;

export function conversationPicture(layout: Layout): Picture {
  const { columns, style } = layout;
  const wrap = ({ title, session, from, through }: Thread, body: string) => {
    const name = oneLine(title ?? session ?? "subagent");
    const lines = body.replace(/^\n+|\n+$/g, "").split("\n");
    const shown = lines.map((line) => (line === "" ? "" : " ".repeat(indent) + line));
    return `\n${style.cyan(`  ▸ ${name}`)}${style.dim(`  #${from}–#${through}`)}\n${shown.join("\n")}\n`;
  };
  return {
    drawer: (depth) =>
      new ConversationText({ ...layout, columns: columns && Math.max(20, columns - indent * depth) }),
    wrap,
    edited: (earlier) => {
      const lines = earlier.map(({ seq, text }) =>
        style.dim(`${lineIn(`    #${seq}  ${oneLine(text)}`, columns)}\n`),
      );
      return `\n${style.yellow(`  ✎ ${editedText(earlier.length)}`)}\n${lines.join("")}`;
    },
    superseded: {
      begin: ({ through }) =>
        style.yellow(`\n── superseded from here to #${through}: the session went back ──\n`),
      end: () => style.yellow("\n── here the session goes on ──\n"),
    },
  };
}

function lineIn(text: string, columns: number | undefined): string {
  return columns === undefined ? text : fitted(text, columns);
}

/** Errors: `USAGE`. */
export function toolsFrom(given: string | true | undefined): Tools {
  if (given === undefined) return "brief";
  if (given === "none" || given === "brief" || given === "full") return given;
  throw new SidecarError("USAGE", `--tools is ${JSON.stringify(given)}; allowed: none, brief, full`);
}
