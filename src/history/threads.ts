/**
 * A conversation as a tree: what subagents said and did stands together, as a thread of its own within the turn that it
 * ran in, though it came mingled with what others said. How each thread is drawn is its drawer's matter.
 */
import type { Happening } from "../session/happenings.ts";

/** Draws the happenings of one thread, in their order. */
export interface Drawer {
  of(happening: Happening): string;
  /** What is still owed: the end of a message that might have gone on. */
  finish(): string;
}

export interface Thread {
  /** What a person may call it; undefined where nobody has said. */
  readonly title: string | undefined;
  /** The subagent's session, if it has one of its own. */
  readonly session: string | undefined;
  readonly from: number;
  readonly through: number;
}

export interface Drawing {
  readonly drawer: (depth: number) => Drawer;
  /** A finished thread within the one that is around it. */
  readonly wrap: (thread: Thread, body: string, depth: number) => string;
}

interface Open {
  readonly parent: string;
  readonly depth: number;
  readonly drawer: Drawer;
  thread: Thread;
  readonly parts: string[];
}

/** Threads are held until they end, all of them no more than this: then they are drawn in pieces. */
const maxHeldChars = 8 << 20;
const maxOpen = 1000;
const deepest = 8;
const main = "";

/** Threads are drawn where they end: a subagent that rests, a call's work when its agent speaks again, all with the turn. */
export class Threads implements Drawer {
  readonly #drawing: Drawing;
  readonly #main: Drawer;
  /** In the order in which they began: one within another comes later. */
  readonly #open = new Map<string, Open>();
  readonly #titles = new Map<string, { title: string | undefined; parent: string }>();
  #held = 0;

  constructor(drawing: Drawing) {
    this.#drawing = drawing;
    this.#main = drawing.drawer(0);
  }

  of(happening: Happening): string {
    const key = keyOf(happening);
    let before = "";
    if (key === main) {
      const isNewTurn = happening.type === "end" || happening.seq === happening.turn;
      // Where a call's work has no session of its own, nobody says when it is done.
      if (isNewTurn || (happening.type === "said" && this.#hasCalls)) before = this.#end(isNewTurn);
      if (isNewTurn) this.#titles.clear();
    }
    this.#learn(happening, key);
    const drawn = key === main ? this.#main.of(happening) : this.#hold(key, happening);
    const after =
      happening.type === "subagent" && isAtRest(happening.state) ? this.#close(`s ${happening.session}`) : "";
    return before + drawn + after;
  }

  finish(): string {
    return this.#end(true) + this.#main.finish();
  }

  get #hasCalls(): boolean {
    for (const key of this.#open.keys()) if (key.startsWith("c ")) return true;
    return false;
  }

  #learn(happening: Happening, parent: string): void {
    if (this.#titles.size > maxOpen) this.#titles.clear();
    if (happening.type === "subagent")
      this.#titles.set(`s ${happening.session}`, { title: happening.title, parent });
    if (happening.type === "call")
      this.#titles.set(`c ${happening.callId}`, { title: happening.title, parent });
  }

  #hold(key: string, happening: Happening): string {
    const open = this.#open.get(key) ?? this.#begin(key, happening);
    open.thread = { ...open.thread, through: happening.seq };
    this.#put(open, open.drawer.of(happening));
    return this.#held > maxHeldChars || this.#open.size > maxOpen ? this.#end(true) : "";
  }

  #begin(key: string, { seq, child }: Happening): Open {
    const { title, parent = main } = this.#titles.get(key) ?? {};
    const around = this.#open.get(parent);
    const depth = Math.min((around?.depth ?? 0) + 1, deepest);
    const thread = { title, session: child, from: seq, through: seq };
    const open = {
      parent: around === undefined ? main : parent,
      depth,
      drawer: this.#drawing.drawer(depth),
      thread,
      parts: [],
    };
    this.#open.set(key, open);
    return open;
  }

  #put(open: Open, text: string): void {
    if (text === "") return;
    open.parts.push(text);
    this.#held += text.length;
  }

  /** The drawn thread, if it is within none that is open still. */
  #close(key: string): string {
    const open = this.#open.get(key);
    if (open === undefined) return "";
    this.#open.delete(key);
    this.#put(open, open.drawer.finish());
    const body = open.parts.join("");
    this.#held -= body.length;
    const wrapped = this.#drawing.wrap(open.thread, body, open.depth);
    const around = this.#open.get(open.parent);
    if (around === undefined) return this.#main.finish() + wrapped;
    this.#put(around, around.drawer.finish() + wrapped);
    return "";
  }

  /** The innermost first. Threads of sessions end with the turn, or when they say so. */
  #end(all: boolean): string {
    const ended = [...this.#open.keys()].reverse().filter((key) => all || key.startsWith("c "));
    return ended
      .map((key) => this.#close(key))
      .reverse()
      .join("");
  }
}

function keyOf({ child, parentCallId }: Happening): string {
  if (child !== undefined) return `s ${child}`;
  return parentCallId === undefined ? main : `c ${parentCallId}`;
}

function isAtRest(state: string | undefined): boolean {
  return state !== undefined && state !== "running" && state !== "requires_action";
}
