/** A conversation as lines: who said it, what was done and how it went, thoughts in a line. */
import { textOf } from "../acp/content.ts";
import { changedPathsOf, outputOf } from "../session/call-parts.ts";
import type { Drawer } from "../history/threads.ts";
import { noteOf, outcomeOf, planMarkOf, spanText } from "../history/words.ts";
import { callLines } from "./call-text.ts";
import type { Happening } from "../session/happenings.ts";
import { oneLine, printable, timeText } from "./print.ts";
import type { Style } from "./style.ts";
import { fitted } from "./width.ts";
import { inRoom } from "./wrap.ts";

export interface Layout {
  /** Undefined: nothing is broken or cut. */
  readonly columns: number | undefined;
  readonly style: Style;
  readonly thoughts: boolean;
  readonly tools: Tools;
}

/** What of tool calls is shown: nothing, a line each, or all that they were given and gave. */
export type Tools = "none" | "brief" | "full";

type Of<T extends Happening["type"]> = Extract<Happening, { readonly type: T }>;

export class ConversationText implements Drawer {
  readonly #layout: Layout;
  /** The last line has no end yet, because its message may go on. */
  #isOpen = false;
  #last: Happening["type"] | "thought" | undefined;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** What is to be printed of what happened. */
  of(happening: Happening): string {
    if (happening.type === "said") return this.#said(happening);
    if (happening.type === "end" && endedWell(happening)) return this.finish();
    if (!isShown(happening) || (happening.type === "call" && this.#layout.tools === "none")) return "";
    const { dim, red } = this.#layout.style;
    const end = this.#begin(happening.type);
    const note = noteOf(happening);
    if (note !== undefined) {
      const paint = happening.type === "end" && !isOnlyStopped(happening) ? red : dim;
      return end + paint(this.#line(`  ${note.text}`));
    }
    switch (happening.type) {
      case "call":
        return end + this.#call(happening);
      case "plan":
        return `${end}${happening.steps.map(({ text, status }) => this.#line(`  ${planMarkOf(status)} ${oneLine(text)}`)).join("")}`;
      case "summary":
        return end + this.#summary(happening);
      case "compaction":
        return `${end}${dim(this.#line("  (what came before was summarised)"))}`;
      default:
        return "";
    }
  }

  /** Ends a line that is open. */
  finish(): string {
    const end = this.#isOpen ? "\n" : "";
    this.#isOpen = false;
    return end;
  }

  #said({ by, content, goesOn, atMs, seq }: Of<"said">): string {
    const text = textOf({ content });
    const { style, thoughts } = this.#layout;
    if (by === "thought" && !thoughts) return this.#foldedThought(text, goesOn);
    const colour = { user: style.cyan, assistant: style.green, system: style.yellow, thought: style.dim }[by];
    const head = goesOn
      ? ""
      : `${this.#begin("said")}${style.bold(colour(by))}${style.dim(`  ${timeText(atMs)}  #${seq}`)}\n`;
    const body = printable(text)
      .split("\n")
      .flatMap((line) => this.#broken(line))
      .map((line) => `  ${by === "thought" ? style.dim(line) : line}`)
      .join("\n");
    // Text that goes on begins where its line has ended.
    const isWithin = goesOn && this.#isOpen;
    this.#isOpen = true;
    return head + (isWithin ? body.slice(2) : body);
  }

  #summary({ content, by, throughSeq }: Of<"summary">): string {
    const { dim } = this.#layout.style;
    const who = by === undefined ? "" : `, by ${oneLine(by)}`;
    const lines = printable(textOf({ content })).split("\n");
    const body = lines.flatMap((line) => this.#broken(line)).map((line) => `  ${dim(line)}\n`);
    return [dim(this.#line(`  (summary of all up to #${throughSeq}${who})`)), ...body].join("");
  }

  /** The beginning of it; what goes on is in the same line. */
  #foldedThought(text: string, goesOn: boolean): string {
    if (goesOn) return "";
    const start = oneLine(text.slice(0, 1000)).trim();
    const shown = start.length < text.trim().length ? `${start}…` : start;
    return `${this.#begin("thought")}${this.#layout.style.dim(this.#line(`  (thought: ${shown})`))}`;
  }

  /** An empty line between things of different kinds, and between messages. */
  #begin(what: Happening["type"] | "thought"): string {
    const isApart = what === "said" || what !== this.#last;
    this.#last = what;
    return `${this.finish()}${isApart ? "\n" : ""}`;
  }

  #call(call: Of<"call">): string {
    const { title, status, update } = call;
    const { style } = this.#layout;
    const { mark, word } = outcomeOf(call);
    const paint = status === "completed" ? style.green : status === "failed" ? style.red : style.yellow;
    const facts = [status === "failed" ? "" : word, spanText(call.lastMs - call.startedAtMs)];
    const said = facts.filter((fact) => fact !== "").join(", ");
    const lines = [paint(this.#line(`  ${mark} ${oneLine(title)}${said === "" ? "" : `  (${said})`}`))];
    for (const path of changedPathsOf(update)) lines.push(style.dim(this.#line(`      ${oneLine(path)}`)));
    const [reason = ""] = outputOf(update).trim().split("\n", 1);
    if (status === "failed" && reason !== "") lines.push(style.dim(this.#line(`      ${oneLine(reason)}`)));
    if (this.#layout.tools === "full")
      for (const { text, paint } of callLines(update, style))
        for (const part of this.#broken(text, 6)) lines.push(`      ${paint(part)}\n`);
    return lines.join("");
  }

  #line(text: string): string {
    const { columns } = this.#layout;
    return `${columns === undefined ? text : fitted(text, columns)}\n`;
  }

  /** Lines within the indent; code keeps its own. */
  #broken(line: string, indent = 2): string[] {
    const { columns } = this.#layout;
    if (columns === undefined) return [line];
    const room = Math.max(20, columns - indent);
    const plain = line.replaceAll("\t", "    ");
    return inRoom(plain, room, (/^ */.exec(plain)?.[0] ?? "").slice(0, room / 2));
  }
}

type Shown = Of<"call" | "plan" | "set" | "end" | "decided" | "rewind" | "summary" | "compaction">;

function isShown(happening: Happening): happening is Shown {
  if (happening.type === "compaction") return happening.status === "completed";
  return ["call", "plan", "set", "end", "decided", "rewind", "summary"].includes(happening.type);
}

/** Not by an error, nor cut off. */
function isOnlyStopped({ end: { interrupted, error } }: Of<"end">): boolean {
  return !interrupted && error === undefined;
}

function endedWell(ended: Of<"end">): boolean {
  return noteOf(ended) === undefined;
}
