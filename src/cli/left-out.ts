/** Sessions that a command has passed over, because they cannot be read: told in one line at its end. */
import { errorFaces } from "../base/errors.ts";
import type { Unreadable } from "../base/unreadable.ts";
import type { Io } from "./command.ts";

/** More are counted, and not named. */
const mostNamed = 5;

export class LeftOut {
  readonly #found = new Map<string, Pick<Unreadable, "id" | "code">>();

  /** Who has told of it first has said why. */
  readonly note = (found: Pick<Unreadable, "id" | "code">): void => {
    if (!this.#found.has(found.id)) this.#found.set(found.id, found);
  };

  get count(): number {
    return this.#found.size;
  }

  /** As programs are told of them; nothing where there are none. */
  get asJson(): { readonly unreadable?: readonly Pick<Unreadable, "id" | "code">[] } {
    const all = [...this.#found.values()].map(({ id, code }) => ({ id, code }));
    return all.length === 0 ? {} : { unreadable: all };
  }

  /** Returns the status of a command that would have ended with this one: what was left out is a failure. */
  tell(status: number, { errors }: Pick<Io, "errors">): number {
    const all = [...this.#found.values()];
    const [first] = all;
    if (first === undefined) return status;
    const named = all.slice(0, mostNamed).map(({ id, code }) => `${id} (${code})`);
    const more = all.length > mostNamed ? ` and ${all.length - mostNamed} others` : "";
    const what = `left out, because what is kept of it cannot be read: ${named.join(", ")}${more}`;
    const goOn = "acp-sidecar verify tells more, sessions rm ID --force deletes it for good";
    errors.write(`acp-sidecar: ${what}; ${goOn}\n`);
    return status === 0 || status === 1 ? errorFaces[first.code].exitStatus : status;
  }
}
