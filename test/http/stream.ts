/** What a stream of events says, as a browser would read it. */
export interface Event {
  readonly id: string;
  readonly event: string;
  readonly data: {
    readonly [member: string]: unknown;
    readonly id: string;
    readonly seq: number;
    readonly from: number;
    readonly code: string;
    readonly state: string;
    readonly title: string;
    readonly content: readonly { readonly text: string }[];
  };
}

/** Reads one after the other; heartbeats are passed over. */
export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(response: Response) {
    if (response.body === null || response.status !== 200) throw new Error(`no stream: ${response.status}`);
    this.#reader = response.body.getReader();
  }

  /** Undefined at the end. */
  async next(): Promise<Event | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end < 0) {
        const { done, value } = await this.#reader.read();
        if (done) return undefined;
        this.#text += this.#decoder.decode(value, { stream: true });
        continue;
      }
      const block = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      const fields = new Map(
        block.split("\n").map((line) => [line.split(": ", 1)[0], line.slice(line.indexOf(": ") + 2)]),
      );
      if (!fields.has("event")) continue;
      const data = JSON.parse(fields.get("data") ?? "{}") as Event["data"];
      return { id: fields.get("id") ?? "", event: fields.get("event") ?? "", data };
    }
  }

  /** Up to the first that is wanted, that one included. */
  async until(isWanted: (event: Event) => boolean): Promise<Event[]> {
    const found: Event[] = [];
    for (let next = await this.next(); next !== undefined; next = await this.next()) {
      found.push(next);
      if (isWanted(next)) return found;
    }
    throw new Error(`the stream ended after ${JSON.stringify(found)}`);
  }

  async close(): Promise<void> {
    await this.#reader.cancel();
  }
}
