/** How far something long has come: a bar on a terminal, a line now and then in a log. On stderr, apart from output. */
import type { Watch } from "../care/watch.ts";
import type { Invocation, Io } from "./command.ts";
import { fitted } from "./width.ts";

/** Between two changes of the bar. */
const redrawMs = 100;
/** The first line in a log, and those after it. */
const logFirstMs = 10_000;
const logEachMs = 30_000;

const clearLine = "\r\u001b[2K";
const barCells = 20;

export class Progress {
  readonly #io: Pick<Io, "errors" | "errorColumns">;
  readonly #name: string;
  readonly #isQuiet: boolean;
  readonly #now: () => number;
  #drawnMs = -Infinity;
  #saidMs: number;
  #isDrawn = false;
  #stage = { text: "", unit: "", beganMs: 0, done: 0, total: 0 };

  /** @param name the command, as a log names it */
  constructor(
    { flags }: Pick<Invocation, "flags">,
    io: Pick<Io, "errors" | "errorColumns">,
    name: string,
    now: () => number = () => performance.now(),
  ) {
    this.#io = io;
    this.#name = name;
    this.#isQuiet = flags["quiet"] === true;
    this.#now = now;
    this.#saidMs = now() + logFirstMs - logEachMs;
  }

  /** What is done now, and what is counted by it. */
  stage(text: string, unit = ""): void {
    this.#stage = { text, unit, beganMs: this.#now(), done: 0, total: 0 };
    this.#draw(text);
  }

  /** Settles when signals have been heard that came meanwhile. */
  async at(done: number, total: number): Promise<void> {
    const nowMs = this.#now();
    Object.assign(this.#stage, { done, total });
    if (nowMs - this.#drawnMs < redrawMs) return;
    if (total === 0) this.#draw(this.#stage.text);
    else if (this.#io.errorColumns !== undefined) this.#draw(this.#line(done, total, nowMs, true));
    else if (nowMs - this.#saidMs >= logEachMs) {
      this.#saidMs = nowMs;
      if (!this.#isQuiet)
        this.#io.errors.write(`acp-sidecar: ${this.#name}: ${this.#line(done, total, nowMs, false)}\n`);
    }
    this.#drawnMs = nowMs;
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Nothing of it stays on the terminal. */
  end(): void {
    if (this.#isDrawn) this.#io.errors.write(clearLine);
    this.#isDrawn = false;
  }

  /** For what is done to stores. */
  watch(signal: AbortSignal): Required<Watch> {
    return {
      onProgress: (done, total) => this.at(done, total),
      onEntries: () => this.at(this.#stage.done, this.#stage.total),
      signal,
    };
  }

  /** What is counted now. */
  get unit(): string {
    return this.#stage.unit;
  }

  get done(): number {
    return this.#stage.done;
  }

  #draw(text: string): void {
    const { errors, errorColumns } = this.#io;
    if (this.#isQuiet || errorColumns === undefined) return;
    errors.write(`${clearLine}${fitted(text, errorColumns - 1)}`);
    this.#isDrawn = true;
  }

  #line(done: number, total: number, nowMs: number, hasBar: boolean): string {
    const { text, unit, beganMs } = this.#stage;
    const part = total > 0 ? Math.min(1, done / total) : 0;
    const tookMs = nowMs - beganMs;
    const perSecond = tookMs > 0 ? (done / tookMs) * 1000 : 0;
    const full = Math.round(part * barCells);
    const bar = `[${"#".repeat(full)}${".".repeat(barCells - full)}] `;
    const rate = perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(1);
    const left = perSecond > 0 && done < total ? `, ${spanText((total - done) / perSecond)} left` : "";
    return `${text} ${hasBar ? bar : ""}${(part * 100).toFixed(0)}%  ${done} of ${total} ${unit}, ${rate}/s${left}`;
  }
}

/** `8 s`, `3 min`, `2 h 10 min` */
function spanText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
