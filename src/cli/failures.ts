/** What a command with several operands could not do: told at once, and the others go on. */
import { SidecarError } from "../base/errors.ts";
import { withWaysOut } from "../session/ways-out.ts";
import type { Io } from "./command.ts";
import { oneLine } from "./print.ts";

interface Failure {
  /** As it was named. */
  readonly session: string;
  readonly code: string;
  readonly message: string;
}

export class Failures {
  readonly list: Failure[] = [];
  readonly #io: Io;
  #status = 0;

  constructor(io: Io) {
    this.#io = io;
  }

  /** Of the last one; 0 if there was none. */
  get status(): number {
    return this.#status;
  }

  /** What `act` gives; undefined when it failed with an error of ours. Errors: all others. */
  async of<T>(session: string, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof SidecarError)) throw error;
      const message = withWaysOut(error, "request");
      this.#io.errors.write(`acp-sidecar: ${oneLine(message)}\n`);
      this.list.push({ session, code: error.code, message });
      this.#status = error.exitStatus;
      return undefined;
    }
  }
}
