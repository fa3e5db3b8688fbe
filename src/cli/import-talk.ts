/** What `import` says: how far it is, what could not be read, and what came of it. */
import type { Problem } from "../history/import/native.ts";
import type { ImportResult, Told } from "../history/import/run.ts";
import type { Invocation, Io } from "./command.ts";
import { countText, oneLine, print, printJson } from "./print.ts";
import { Progress } from "./progress.ts";

/** JSON lists so many of each; all are counted. */
const mostListed = 10_000;

export class ImportTalk {
  readonly #io: Io;
  readonly #title: string;
  readonly #isJson: boolean;
  readonly #isDryRun: boolean;
  readonly #isWatching: boolean;
  #hasRested = false;
  readonly #progress: Progress;
  readonly #problems: Problem[] = [];
  readonly #sessions: Told[] = [];

  constructor(invocation: Invocation, io: Io, title: string) {
    this.#io = io;
    this.#title = title;
    this.#isJson = invocation.flags["json"] === true;
    this.#isDryRun = invocation.flags["dry-run"] === true;
    this.#progress = new Progress(invocation, io, "import");
    this.#isWatching = invocation.flags["watch"] === true;
    this.#progress.stage(`reading ${title}`, "MiB");
  }

  problem(problem: Problem): void {
    const { path, line, reason } = problem;
    if (this.#problems.length < mostListed) this.#problems.push(problem);
    this.#say(`${path}${line === undefined ? "" : `:${line}`}: ${reason}`);
  }

  async session(told: Told): Promise<void> {
    const { what, path, reason = "", id } = told;
    if (this.#isWatching && id !== undefined && what !== "skipped" && what !== "present") {
      this.#progress.end();
      await print(this.#io, this.#isJson ? `${JSON.stringify(told)}\n` : `${what} ${id} ${oneLine(path)}\n`);
      return;
    }
    if (this.#isJson && what !== "present" && this.#sessions.length < mostListed) this.#sessions.push(told);
    if (what === "skipped")
      this.#say(`${path}: not imported: ${reason}${id === undefined ? "" : ` (${id})`}`);
  }

  /** All that is there has been brought in; said once. */
  rests(): void {
    if (!this.#hasRested) this.#say("everything is brought in; keeping up, Ctrl-C ends it");
    this.#hasRested = true;
  }

  progress(done: number, total: number): Promise<void> {
    const inMib = (bytes: number) => Math.ceil(bytes / (1 << 20));
    return this.#progress.at(inMib(done), inMib(total));
  }

  async end(result: ImportResult): Promise<void> {
    this.close();
    if (this.#isJson) {
      const { problems, ...counts } = result;
      const listed = { sessions: this.#sessions, problems: this.#problems };
      const dryRun = this.#isDryRun ? { dryRun: true } : {};
      await printJson(this.#io, { ...dryRun, counts: { ...counts, problems }, ...listed });
    } else await print(this.#io, `${this.#title}: ${summaryOf(result, this.#isDryRun)}\n`);
  }

  close(): void {
    this.#progress.end();
  }

  #say(text: string): void {
    this.#progress.end();
    this.#io.errors.write(`acp-sidecar: import: ${oneLine(text)}\n`);
  }
}

function summaryOf({ sessions, entries, problems }: ImportResult, isDryRun: boolean): string {
  const { imported, continued, replaced, present, empty, skipped } = sessions;
  const parts = [
    `${countText(imported, "session")} ${isDryRun ? "would be imported" : "imported"}`,
    continued > 0 && `${continued} continued`,
    replaced > 0 && `${replaced} made anew because it was changed there`,
    present > 0 && `${present} there already`,
    empty > 0 && `${empty} without a word`,
    skipped > 0 && `${skipped} not imported`,
  ].filter((part) => part !== false);
  const unread = problems > 0 ? `; ${countText(problems, "place")} could not be read` : "";
  return `${parts.join(", ")}; ${countText(entries, "entry", "entries")}${unread}`;
}
