/** Events of a stream (text/event-stream), from pieces of any size. */

export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

/** An event that is longer is passed over: what is told is short. */
const maxChars = 8 << 20;

export class EventLines {
  /** Pieces of a line that has no end yet. */
  #rest: string[] = [];
  #restChars = 0;
  #event = "";
  #data: string[] = [];
  #chars = 0;
  #id: string | undefined;

  push(text: string): StreamEvent[] {
    const [first = "", ...more] = text.split("\n");
    const last = more.pop();
    if (last === undefined) {
      this.#keep(first);
      return [];
    }
    this.#keep(first);
    if (this.#restChars > maxChars) this.#chars = Infinity;
    const events = [this.#rest.join(""), ...more].flatMap((line) => this.#line(line.replace(/\r$/, "")));
    this.#rest = [];
    this.#restChars = 0;
    this.#keep(last);
    return events;
  }

  #keep(piece: string): void {
    this.#restChars += piece.length;
    if (this.#restChars <= maxChars) this.#rest.push(piece);
  }

  #line(line: string): StreamEvent[] {
    if (line === "") return this.#end();
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    else if (name === "id") this.#id = value;
    else if (name === "data") {
      this.#chars += value.length;
      if (this.#chars <= maxChars) this.#data.push(value);
    }
    return [];
  }

  #end(): StreamEvent[] {
    const event = { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id };
    const isSaid = this.#data.length > 0 && this.#chars <= maxChars;
    [this.#event, this.#data, this.#chars] = ["", [], 0];
    return isSaid ? [event] : [];
  }
}
