/** What a peer has sent and nobody has taken from us yet: beyond a limit the peer is read no further. */
export class Backlog {
  readonly #limitChars: number;
  #chars = 0;
  #movedAtMs = 0;
  #room: Promise<void> | undefined;
  #settleRoom: () => void = () => undefined;

  /** @param limitChars only the last message may pass it, however long that message is */
  constructor(limitChars: number) {
    this.#limitChars = limitChars;
  }

  /** A message has come. Returns what is to be called when it has been passed on; further calls do nothing. */
  hold(chars: number): () => void {
    let held = chars;
    if (!this.#isFull) this.#movedAtMs = performance.now();
    this.#chars += chars;
    return () => {
      this.#chars -= held;
      held = 0;
      this.#movedAtMs = performance.now();
      if (!this.#isFull) this.#settleRoom();
    };
  }

  /** Settles when more may be read; undefined when that is now. */
  room(): Promise<void> | undefined {
    if (!this.#isFull) return undefined;
    this.#room ??= new Promise((resolve) => {
      this.#settleRoom = () => {
        this.#room = undefined;
        resolve();
      };
    });
    return this.#room;
  }

  /** For how long there has been no room and nothing has moved; 0 when there is room. */
  get stuckMs(): number {
    return this.#isFull ? performance.now() - this.#movedAtMs : 0;
  }

  get #isFull(): boolean {
    return this.#chars > this.#limitChars;
  }
}
